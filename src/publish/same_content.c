/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/same_content.h"

#include "table/patterns.h"

static bool same_facts(const struct table_facts *a, const struct table_facts *b)
{
	return a->entries == b->entries && a->domains == b->domains && a->targets == b->targets &&
	       a->is_lenient == b->is_lenient;
}

static bool same_rules(const struct table_rules *a, const struct table_rules *b)
{
	return bytes_equal(a->delimiters, b->delimiters) && bytes_equal(a->origin, b->origin) &&
	       bytes_equal(a->dot_domain, b->dot_domain) &&
	       a->propagates_extension == b->propagates_extension &&
	       a->keeps_dead_ends == b->keeps_dead_ends;
}

static bool same_domains(const struct table *a, const struct table *b)
{
	struct table_domain in_a, in_b;
	uint64_t at_a = 0;
	uint64_t at_b = 0;
	enum lookup next;

	/* All of A are in B, and B has no more. */
	while ((next = table_next_domain(a, &at_a, &in_a)) == LOOKUP_FOUND)
		if (table_find_domain(b, in_a.name, &in_b) != LOOKUP_FOUND ||
		    in_a.flags != in_b.flags || table_next_domain(b, &at_b, &in_b) != LOOKUP_FOUND)
			return false;
	return next == LOOKUP_ABSENT && table_next_domain(b, &at_b, &in_b) == LOOKUP_ABSENT;
}

static bool same_patterns(const struct table *a, const struct table *b)
{
	struct table_pattern in_a, in_b;
	uint64_t at_a = 0;
	uint64_t at_b = 0;
	enum lookup next;

	while ((next = table_next_pattern(a, &at_a, &in_a)) == LOOKUP_FOUND)
		if (table_next_pattern(b, &at_b, &in_b) != LOOKUP_FOUND || in_a.kind != in_b.kind ||
		    in_a.flags != in_b.flags || in_a.result != in_b.result ||
		    !bytes_equal(in_a.expression, in_b.expression) ||
		    !bytes_equal(in_a.exception, in_b.exception) ||
		    !bytes_equal(in_a.value, in_b.value) || !bytes_equal(in_a.domain, in_b.domain))
			return false;
	return next == LOOKUP_ABSENT && table_next_pattern(b, &at_b, &in_b) == LOOKUP_ABSENT;
}

static bool same_targets(const struct table *a, const struct table_entry *in_a,
			 const struct table *b, const struct table_entry *in_b)
{
	struct table_target_cursor at_a, at_b;
	struct table_target of_a, of_b;
	enum lookup next;

	table_targets_begin(in_a, &at_a);
	table_targets_begin(in_b, &at_b);
	while ((next = table_next_target(a, &at_a, &of_a)) == LOOKUP_FOUND)
		if (table_next_target(b, &at_b, &of_b) != LOOKUP_FOUND ||
		    of_a.keeps_user != of_b.keeps_user || !bytes_equal(of_a.local, of_b.local) ||
		    !bytes_equal(of_a.domain.name, of_b.domain.name))
			return false;
	return next == LOOKUP_ABSENT && table_next_target(b, &at_b, &of_b) == LOOKUP_ABSENT;
}

static bool same_row(const struct table *a, const struct table_row *row, const struct table *b)
{
	struct table_domain domain;
	struct table_entry entry;
	enum lookup found = table_find_domain(b, row->domain.name, &domain);

	if (found == LOOKUP_FOUND)
		found = row->is_catch_all ? table_find_catch_all(b, &domain, &entry)
					  : table_find(b, &domain, row->local, &entry);
	if (found != LOOKUP_FOUND || entry.kind != row->entry.kind)
		return false;
	if (entry.kind == TABLE_ENTRY_REPLY)
		return bytes_equal(entry.reply, row->entry.reply);
	return entry.kind != TABLE_ENTRY_TARGETS || same_targets(a, &row->entry, b, &entry);
}

/* As many rows as the facts say are in both: so each of A in B is enough. */
static bool same_rows(const struct table *a, const struct table *b)
{
	struct table_cursor cursor;
	struct table_row row;
	enum lookup next;

	table_rows_begin(a, &cursor);
	while ((next = table_next_row(a, &cursor, &row)) == LOOKUP_FOUND)
		if (!same_row(a, &row, b))
			return false;
	return next == LOOKUP_ABSENT;
}

bool same_content(const struct table *a, const struct table *b)
{
	return same_facts(table_facts(a), table_facts(b)) &&
	       same_rules(table_rules(a), table_rules(b)) && same_patterns(a, b) &&
	       same_domains(a, b) && same_rows(a, b);
}

bool same_content_as_file(const struct table *table, const char *path, uid_t also_owner)
{
	struct table_facts facts;
	struct table *other;
	bool is_same;

	/* Most changes show in the numbers. */
	if (!table_peek(path, &facts, NULL) || !same_facts(&facts, table_facts(table)))
		return false;
	/* Nothing of it is believed but that it is the same. */
	other = table_open(path, also_owner, TABLE_UNPROVED, NULL);
	is_same = other != NULL && same_content(table, other);
	table_close(other);
	return is_same;
}
