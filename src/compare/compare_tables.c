/* SPDX-License-Identifier: BSD-2-Clause */
#include "compare/compare_tables.h"

#include <sysexits.h>

#include "compare/compare_answers.h"
#include "show/print.h"
#include "show/sorted.h"

struct side {
	const struct table *table;
	struct sorted sorted;
	struct buffer value;
};

struct diff {
	struct side sides[2]; /* old, new */
	struct compare_answers compare;
	struct text_output *output; /* NULL: nobody reads it, only count */
	struct buffer lost;         /* written in its place: stays empty, but remembers failures */
	struct compare_counts counts;
	bool is_broken;
};

/* Failures of appends are told by text_output_finish(). */
static struct buffer *text_of(struct diff *diff)
{
	return diff->output != NULL ? &diff->output->text : &diff->lost;
}

static void put(struct diff *diff, const char *text)
{
	(void)buffer_append_text(text_of(diff), text);
}

/* A line is whole. False: no more can be written, or shown. */
static bool advance(struct diff *diff)
{
	if (diff->output != NULL)
		return text_output_advance(diff->output);
	buffer_clear(&diff->lost);
	return !diff->lost.has_failed;
}

static void put_sign(struct diff *diff, const char *sign)
{
	put(diff, sign);
	switch (sign[0]) {
	case '+':
		diff->counts.added++;
		break;
	case '-':
		diff->counts.removed++;
		break;
	default:
		diff->counts.changed++;
		break;
	}
}

static void put_sides(struct diff *diff)
{
	for (int i = 0; i < 2; i++) {
		put(diff, i == 0 ? "" : " -> ");
		(void)buffer_append(text_of(diff), buffer_bytes(&diff->sides[i].value));
	}
	put(diff, "\n");
}

/* `+` or `-`: only one side has it; what it says is in that side's value. */
static void put_only(struct diff *diff, int side, struct bytes local, struct bytes domain)
{
	put_sign(diff, side == 0 ? "- " : "+ ");
	print_key(local, domain, text_of(diff));
	put(diff, "\t");
	(void)buffer_append(text_of(diff), buffer_bytes(&diff->sides[side].value));
	put(diff, "\n");
}

static bool take_value(struct diff *diff, struct side *side, const struct table_domain *domain,
		       struct bytes local)
{
	struct table_entry entry;

	buffer_clear(&side->value);
	if (sorted_find(side->table, domain, local, &entry) != LOOKUP_FOUND ||
	    print_value(side->table, &entry, &side->value) != LOOKUP_FOUND)
		diff->is_broken = true;
	buffer_take_failure(text_of(diff), &side->value);
	return !diff->is_broken;
}

static void show_only(struct diff *diff, int side, const struct table_domain *domain,
		      struct bytes local)
{
	if (take_value(diff, &diff->sides[side], domain, local))
		put_only(diff, side, local, domain->name);
}

/* Both sides have the key: does its answer differ? */
static void compare_key(struct diff *diff, const struct table_domain *const domains[2],
			struct bytes local)
{
	bool is_equal = compare_answers_equal(&diff->compare, local, domains[0]->name);

	/* Two that can't be told are no two equal ones. */
	text_of(diff)->has_failed |= compare_answers_lack_memory(&diff->compare);
	if (is_equal)
		return;
	for (int i = 0; i < 2; i++)
		if (!take_value(diff, &diff->sides[i], domains[i], local))
			return;
	/* The entry is what it was, but what it leads to isn't: show where mail goes in the end. */
	if (bytes_equal(buffer_bytes(&diff->sides[0].value), buffer_bytes(&diff->sides[1].value)))
		for (int i = 0; i < 2; i++) {
			compare_answers_print(&diff->compare, i, &diff->sides[i].value);
			buffer_take_failure(text_of(diff), &diff->sides[i].value);
		}
	put_sign(diff, "! ");
	print_key(local, domains[0]->name, text_of(diff));
	put(diff, "\t");
	put_sides(diff);
}

/* A range of keys of one side, and what is left of it. */
struct range {
	const struct sorted_key *next;
	const struct sorted_key *end;
};

static struct range keys_of(const struct sorted *sorted, const struct table_domain *domain)
{
	size_t index;

	if (domain == NULL)
		return (struct range){ 0 };
	index = (size_t)(domain - sorted->domains);
	return (struct range){
		.next = sorted->keys + sorted->first_keys[index],
		.end = sorted->keys + sorted->first_keys[index + 1],
	};
}

/* Which comes first: negative the old one, positive the new one, 0 they are equal. */
static int compare_next(const struct range *old, const struct range *new)
{
	if (old->next == old->end)
		return 1;
	if (new->next == new->end)
		return -1;
	return bytes_compare(sorted_local(old->next), sorted_local(new->next));
}

static bool compare_keys(struct diff *diff, const struct table_domain *const domains[2])
{
	struct range old = keys_of(&diff->sides[0].sorted, domains[0]);
	struct range new = keys_of(&diff->sides[1].sorted, domains[1]);

	while (old.next != old.end || new.next != new.end) {
		int order = compare_next(&old, &new);

		if (order < 0)
			show_only(diff, 0, domains[0], sorted_local(old.next));
		else if (order > 0)
			show_only(diff, 1, domains[1], sorted_local(new.next));
		else
			compare_key(diff, domains, sorted_local(old.next));
		old.next += order <= 0 ? 1 : 0;
		new.next += order >= 0 ? 1 : 0;
		if (diff->is_broken || !advance(diff))
			return false;
	}
	return true;
}

static void compare_declarations(struct diff *diff, const struct table_domain *const domains[2])
{
	const struct table_domain *any = domains[0] != NULL ? domains[0] : domains[1];
	const char *says[2];

	for (int i = 0; i < 2; i++) {
		says[i] = domains[i] == NULL ? NULL : print_declaration(domains[i]);
		buffer_clear(&diff->sides[i].value);
		if (says[i] != NULL)
			(void)buffer_append_text(&diff->sides[i].value, says[i]); /* see below */
		buffer_take_failure(text_of(diff), &diff->sides[i].value);
	}
	if (says[0] == says[1])
		return;
	put_sign(diff, says[0] == NULL ? "+ " : says[1] == NULL ? "- " : "! ");
	print_field(any->name, text_of(diff));
	put(diff, "\t");
	if (says[0] != NULL && says[1] != NULL) {
		put_sides(diff);
		return;
	}
	put(diff, says[0] != NULL ? says[0] : says[1]);
	put(diff, "\n");
}

static bool compare_all(struct diff *diff)
{
	const struct sorted *old = &diff->sides[0].sorted;
	const struct sorted *new = &diff->sides[1].sorted;
	size_t i = 0;
	size_t j = 0;

	while (i < old->domain_count || j < new->domain_count) {
		const struct table_domain *domains[2] = { NULL, NULL };
		int order = i == old->domain_count ? 1
			    : j == new->domain_count
				    ? -1
				    : bytes_compare(old->domains[i].name, new->domains[j].name);

		if (order <= 0)
			domains[0] = &old->domains[i++];
		if (order >= 0)
			domains[1] = &new->domains[j++];
		compare_declarations(diff, domains);
		if (!compare_keys(diff, domains))
			return false;
	}
	return true;
}

static void compare_rule(struct diff *diff, const char *name, struct bytes old, struct bytes new)
{
	if (bytes_equal(old, new))
		return;
	buffer_clear(&diff->sides[0].value);
	buffer_clear(&diff->sides[1].value);
	print_field(old, &diff->sides[0].value);
	print_field(new, &diff->sides[1].value);
	buffer_take_failure(text_of(diff), &diff->sides[0].value);
	buffer_take_failure(text_of(diff), &diff->sides[1].value);
	put_sign(diff, "! ");
	put(diff, name);
	put(diff, "\t");
	put_sides(diff);
}

static struct bytes truth(bool value)
{
	return bytes_of(value ? "true" : "false");
}

/* Rules that change the answers of addresses that are no keys. */
static void compare_rules(struct diff *diff)
{
	const struct table_rules *old = table_rules(diff->sides[0].table);
	const struct table_rules *new = table_rules(diff->sides[1].table);

	compare_rule(diff, "recipient_delimiter", old->delimiters, new->delimiters);
	compare_rule(diff, "propagate_extension", truth(old->propagates_extension),
		     truth(new->propagates_extension));
	compare_rule(diff, "origin", old->origin, new->origin);
}

/* The next rule of SIDE: its key in OUT_KEY, its value in the side's. False: there is none. */
static bool take_pattern(struct diff *diff, int side, uint64_t *position, struct buffer *out_key)
{
	struct buffer *value = &diff->sides[side].value;
	struct table_pattern pattern;

	buffer_clear(out_key);
	buffer_clear(value);
	if (table_next_pattern(diff->sides[side].table, position, &pattern) != LOOKUP_FOUND)
		return false;
	print_pattern_key(&pattern, out_key);
	if (print_pattern_value(&pattern, value) != LOOKUP_FOUND)
		diff->is_broken = true;
	buffer_take_failure(text_of(diff), out_key);
	buffer_take_failure(text_of(diff), value);
	return true;
}

static void put_pattern(struct diff *diff, int side, const struct buffer *key)
{
	put_sign(diff, side == 0 ? "- " : "+ ");
	(void)buffer_append(text_of(diff), buffer_bytes(key));
	put(diff, "\t");
	(void)buffer_append(text_of(diff), buffer_bytes(&diff->sides[side].value));
	put(diff, "\n");
}

/* Their order matters, so they are compared place by place. */
static bool compare_patterns(struct diff *diff)
{
	struct buffer keys[2];
	uint64_t positions[2] = { 0, 0 };
	bool has[2];

	buffer_init(&keys[0], SIZE_MAX / 4);
	buffer_init(&keys[1], SIZE_MAX / 4);
	do {
		for (int i = 0; i < 2; i++)
			has[i] = take_pattern(diff, i, &positions[i], &keys[i]);
		if (has[0] && has[1] &&
		    bytes_equal(buffer_bytes(&keys[0]), buffer_bytes(&keys[1])) &&
		    bytes_equal(buffer_bytes(&diff->sides[0].value),
				buffer_bytes(&diff->sides[1].value)))
			continue;
		for (int i = 0; i < 2; i++)
			if (has[i])
				put_pattern(diff, i, &keys[i]);
	} while ((has[0] || has[1]) && !diff->is_broken && advance(diff));
	buffer_free(&keys[0]);
	buffer_free(&keys[1]);
	return !diff->is_broken;
}

static bool load_sides(struct diff *diff, const struct table *const tables[2], struct error *err)
{
	for (int i = 0; i < 2; i++) {
		struct side *side = &diff->sides[i];

		buffer_init(&side->value, SIZE_MAX / 4);
		side->table = tables[i];
		if (!sorted_load(side->table, &side->sorted, err))
			return false;
	}
	return true;
}

static bool compare(struct diff *diff, const struct settings *settings, struct error *err)
{
	compare_answers_init(&diff->compare, diff->sides[0].table, diff->sides[1].table, settings);
	compare_rules(diff);
	if (compare_all(diff))
		(void)compare_patterns(diff); /* what stopped it is told below */
	compare_answers_free(&diff->compare);
	if (diff->is_broken)
		return error_set(err, EX_DATAERR, "a table contradicts itself");
	if (diff->output == NULL && diff->lost.has_failed)
		return error_set_memory(err);
	return true; /* whether all was written is for text_output_finish() to tell */
}

bool compare_tables(const struct table *old, const struct table *new,
		    const struct settings *settings, struct text_output *output,
		    struct compare_counts *out_counts, struct error *err)
{
	const struct table *const tables[2] = { old, new };
	struct diff diff = { .output = output };
	bool is_done;

	buffer_init(&diff.lost, SIZE_MAX / 4);
	is_done = load_sides(&diff, tables, err) && compare(&diff, settings, err);
	for (int i = 0; i < 2; i++) {
		sorted_free(&diff.sides[i].sorted);
		buffer_free(&diff.sides[i].value);
	}
	buffer_free(&diff.lost);
	if (is_done)
		*out_counts = diff.counts;
	return is_done;
}
