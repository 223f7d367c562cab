/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/shadowed.h"

#include <inttypes.h>

#include "mail/address.h"

/* Some seconds, all together: it is only a warning, and most patterns take nothing of it. */
enum { TEXT_BYTES = 1 << 16, BUDGET_STEPS = 1000 * PATTERN_BUDGET_STEPS };

void shadowed_init(struct shadowed *shadowed)
{
	*shadowed = (struct shadowed){ .budget.left = BUDGET_STEPS };
	buffer_init(&shadowed->text, TEXT_BYTES);
}

void shadowed_free(struct shadowed *shadowed)
{
	buffer_free(&shadowed->text);
}

/* Is the one target of ROW what the PATTERN makes, as one writes it? */
static bool is_same_target(struct shadowed *shadowed, const struct table *table,
			   const struct table_row *row, const struct table_entry *pattern)
{
	struct table_target_cursor cursor;
	struct table_target target, more;
	struct address address;
	struct buffer text;
	bool is_same;

	table_targets_begin(&row->entry, &cursor);
	if (table_next_target(table, &cursor, &target) != LOOKUP_FOUND || target.keeps_user ||
	    table_next_target(table, &cursor, &more) != LOOKUP_ABSENT)
		return false;
	address = (struct address){ .local = target.local, .domain = target.domain.name };
	buffer_init(&text, ADDRESS_TEXT_MAX);
	is_same = address_print(&address, &text) &&
		  bytes_equal_ascii_nocase(buffer_bytes(&text), pattern->pattern_value);
	shadowed->has_failed |= text.was_short_of_memory;
	buffer_free(&text);
	return is_same;
}

/* Does the PATTERN that matches say what the row says? Of several targets that is not found out. */
static bool says_the_same(struct shadowed *shadowed, const struct table *table,
			  const struct table_row *row, const struct table_entry *pattern)
{
	if (pattern->kind != row->entry.kind)
		return false;
	if (pattern->kind != TABLE_ENTRY_TARGETS)
		return bytes_equal(pattern->reply, row->entry.reply);
	return is_same_target(shadowed, table, row, pattern);
}

static void keep(struct shadowed *shadowed, const struct table *table, struct bytes subject,
		 const struct table_entry *pattern)
{
	char place[TABLE_PLACE_BYTES];
	struct bytes source;
	uint32_t line;

	if (table_provenance(table, pattern, &source, &line) != LOOKUP_FOUND)
		return;
	table_place_line(source, line, place);
	buffer_clear(&shadowed->text);
	(void)buffer_append_format(&shadowed->text,
				   "conflicting key " BYTES_FORMAT
				   ": a pattern of an earlier source counts, " BYTES_FORMAT "%s",
				   BYTES_ARGS(subject), BYTES_ARGS(source),
				   place); /* without memory it shows in has_failed */
	shadowed->has_failed |= shadowed->text.was_short_of_memory;
}

void shadowed_look(struct shadowed *shadowed, const struct table *table,
		   const struct table_row *row, struct arena *arena)
{
	const struct address key = { .local = row->local, .domain = row->domain.name };
	struct pattern_question question = {
		.domain_key = row->domain.name,
		.arena = arena,
		.budget = &shadowed->budget,
	};
	struct table_entry pattern;
	struct buffer subject;
	uint32_t line;

	/* Patterns are asked for whole addresses. */
	if (!table_has_patterns(table) || row->is_catch_all || row->domain.name.size == 0 ||
	    shadowed->budget.left == 0 ||
	    table_provenance_source(table, &row->entry, &question.before_line) != LOOKUP_FOUND ||
	    table_provenance_line(table, &row->entry, &line) != LOOKUP_FOUND)
		return;
	arena_clear(arena);
	buffer_init(&subject, ADDRESS_TEXT_MAX);
	if (!address_print(&key, &subject)) {
		shadowed->has_failed |= subject.was_short_of_memory;
		buffer_free(&subject);
		return;
	}
	question.subject = buffer_bytes(&subject);
	switch (table_match_within(table, &question, &pattern)) {
	case PATTERN_FOUND:
		if (says_the_same(shadowed, table, row, &pattern))
			break;
		if (shadowed->count++ == 0 || line < shadowed->line) {
			shadowed->line = line;
			keep(shadowed, table, buffer_bytes(&subject), &pattern);
		}
		break;
	case PATTERN_NO_MEMORY:
		shadowed->has_failed = true;
		break;
	case PATTERN_ABSENT:
	case PATTERN_BROKEN:
	case PATTERN_GAVE_UP:
	case PATTERN_UNSAFE:
		break; /* that is told elsewhere */
	}
	buffer_free(&subject);
}

void shadowed_merge(struct shadowed *shadowed, const struct shadowed *other)
{
	if (other->count > 0 && (shadowed->count == 0 || other->line < shadowed->line)) {
		shadowed->line = other->line;
		buffer_clear(&shadowed->text);
		shadowed->has_failed |= !buffer_append(&shadowed->text, buffer_bytes(&other->text));
	}
	shadowed->count += other->count;
	shadowed->has_failed |= other->has_failed;
}

void shadowed_tell(const struct shadowed *shadowed, struct proof_findings *findings)
{
	findings->has_failed |= shadowed->has_failed;
	if (shadowed->count == 1)
		proof_findings_add(findings, shadowed->line, WARNING_CONFLICT, BYTES_FORMAT,
				   BYTES_ARGS(buffer_bytes(&shadowed->text)));
	else if (shadowed->count > 1)
		proof_findings_add(findings, shadowed->line, WARNING_CONFLICT,
				   BYTES_FORMAT " (and so it is with %" PRIu64 " more)",
				   BYTES_ARGS(buffer_bytes(&shadowed->text)), shadowed->count - 1);
}
