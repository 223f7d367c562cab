/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exercise_table - all that a reader can be asked, asked of a table that may be damaged: nothing
 * may crash or hang, no view may leave the table, and what was proved sound must be consistent.
 */
#ifndef TESTS_UNIT_EXERCISE_TABLE_H
#define TESTS_UNIT_EXERCISE_TABLE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "table/patterns.h"
#include "table/table.h"
#include "table/verify.h"

/* Read every byte of a view. */
static inline void exercise_view(struct bytes view)
{
	for (size_t i = 0; i < view.size; i++)
		(void)*(const volatile char *)(view.data + i);
}

static inline void exercise_entry(const struct table *table, const struct table_entry *entry)
{
	struct table_target_cursor cursor;
	struct table_target target;
	struct bytes source;
	uint32_t line;

	if (entry->kind != TABLE_ENTRY_TARGETS)
		exercise_view(entry->reply);
	table_targets_begin(entry, &cursor);
	while (table_next_target(table, &cursor, &target) == LOOKUP_FOUND) {
		exercise_view(target.local);
		exercise_view(target.domain.name);
	}
	if (table_provenance(table, entry, &source, &line) == LOOKUP_FOUND)
		exercise_view(source);
}

static inline enum lookup exercise_find(const struct table *table, struct bytes domain_name,
					struct bytes local, struct table_entry *out_entry)
{
	struct table_domain domain;
	struct table_entry catch_all;
	enum lookup outcome = table_find_domain(table, domain_name, &domain);

	if (outcome != LOOKUP_FOUND)
		return outcome;
	table_prefetch(table, domain.hash, local);
	table_prefetch_entry(table, domain.hash, local);
	if (table_find_catch_all(table, &domain, &catch_all) == LOOKUP_FOUND)
		exercise_entry(table, &catch_all);
	outcome = table_find(table, &domain, local, out_entry);
	if (outcome == LOOKUP_FOUND)
		exercise_entry(table, out_entry);
	return outcome;
}

/* What the walk meets, a look-up must find, if the table IS_SOUND. */
static inline void exercise_row(const struct table *table, const struct table_row *row,
				bool is_sound)
{
	struct table_entry entry;

	exercise_entry(table, &row->entry);
	if (row->is_catch_all)
		return;
	if (exercise_find(table, row->domain.name, row->local, &entry) == LOOKUP_FOUND
		    ? entry.place != row->entry.place
		    : true) {
		if (is_sound)
			abort();
	}
}

static inline void exercise_patterns(const struct table *table)
{
	static const char *const subjects[] = { "list-a@alias.test", "list-a-owner@alias.test",
						"a@alias.test", "a@b.example" };
	struct table_pattern pattern;
	struct table_entry entry;
	uint64_t position = 0;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	while (table_next_pattern(table, &position, &pattern) == LOOKUP_FOUND) {
		exercise_view(pattern.expression);
		exercise_view(pattern.exception);
		exercise_view(pattern.value);
		exercise_view(pattern.domain);
	}
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const char *domain = strchr(subjects[i], '@') + 1;

		if (table_match(table, bytes_of(subjects[i]), bytes_of(domain), UINT32_MAX, &arena,
				&entry) == PATTERN_FOUND)
			exercise_view(entry.kind == TABLE_ENTRY_TARGETS ? entry.pattern_value
									: entry.reply);
	}
	arena_free(&arena);
}

/* Is it sound? */
static inline bool exercise_table(const struct table *table)
{
	bool is_sound = table_verify(table, NULL);
	struct table_cursor cursor;
	struct table_row row;
	struct table_domain domain;
	struct table_entry entry;
	struct bytes source;
	uint64_t position = 0;
	size_t source_position = 0;
	/* A damaged table may have lines without number that lead to the same bytes. */
	unsigned most = 20000;

	table_rows_begin(table, &cursor);
	while (most-- > 0 && table_next_row(table, &cursor, &row) == LOOKUP_FOUND)
		exercise_row(table, &row, is_sound);
	while (table_next_domain(table, &position, &domain) == LOOKUP_FOUND)
		exercise_view(domain.name);
	while (table_next_source(table, &source_position, &source) == LOOKUP_FOUND)
		exercise_view(source);
	exercise_patterns(table);
	(void)exercise_find(table, bytes_of("absent.test"), bytes_of("a"), &entry);
	(void)exercise_find(table, bytes_make("", 0), bytes_of("bare"), &entry);
	exercise_view(table_rules(table)->delimiters);
	exercise_view(table_rules(table)->origin);
	exercise_view(table_rules(table)->dot_domain);
	return is_sound;
}

#endif
