/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/walked_entries.h"

#include "ask_table.h"
#include "resolve/expand.h"

enum { CHAIN = 5000, RECURSION = 100 };

static struct asked asked;
static struct sound_entries sound;
static struct walked_entries walked;
static size_t steps;

static int begin_rows(const char *const *rows)
{
	asked_make(&asked, rows);
	asked.limits.recursion = RECURSION;
	return sound_entries_init(&sound, asked.table, &asked.limits) &&
			       walked_entries_init(&walked, &sound, CHAIN)
		       ? 0
		       : -1;
}

static int begin(void **state)
{
	static const char *const rows[] = { "a.test alias", "a@a.test x@far.test",
					    "b@a.test a@a.test", "@a.test z@far.test", NULL };

	(void)state;
	return begin_rows(rows);
}

/* Each leads to the next, and the last outside. */
static int begin_chain(void **state)
{
	static char texts[CHAIN][64];
	static const char *rows[CHAIN + 1];

	(void)state;
	for (int i = 0; i < CHAIN; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "u%d@a.test u%d@%s.test", i, i + 1,
			       i + 1 < CHAIN ? "a" : "far");
		rows[i] = texts[i];
	}
	return begin_rows(rows);
}

/* The same in a circle. */
static int begin_circle(void **state)
{
	static char texts[CHAIN][64];
	static const char *rows[CHAIN + 1];

	(void)state;
	for (int i = 0; i < CHAIN; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "u%d@a.test u%d@a.test", i,
			       (i + 1) % CHAIN);
		rows[i] = texts[i];
	}
	return begin_rows(rows);
}

static int end(void **state)
{
	(void)state;
	walked_entries_free(&walked);
	sound_entries_free(&sound);
	asked_free(&asked);
	return 0;
}

static struct table_entry entry_of(const char *local)
{
	struct table_domain domain;
	struct table_entry entry;

	assert_int_equal(table_find_domain(asked.table, bytes_of("a.test"), &domain), LOOKUP_FOUND);
	if (local[0] == '\0')
		assert_int_equal(table_find_catch_all(asked.table, &domain, &entry), LOOKUP_FOUND);
	else
		assert_int_equal(table_find(asked.table, &domain, bytes_of(local), &entry),
				 LOOKUP_FOUND);
	return entry;
}

static void what_is_added_is_found(void **state)
{
	const struct reach most = { REACH_MAX, REACH_MAX, REACH_HEIGHT_MAX, true };
	const struct known_entries known = walked_entries_known(&walked);
	struct table_entry a = entry_of("a");
	struct table_entry b = entry_of("b");
	struct reach reach;

	(void)state;
	assert_int_equal(known.find(known.context, &a, &reach), KNOWN_NOTHING);
	known.add(known.context, &a, &most);
	assert_int_equal(known.find(known.context, &b, &reach), KNOWN_NOTHING);
	assert_int_equal(known.find(known.context, &a, &reach), KNOWN_REACH);
	assert_int_equal(reach.count, most.count);
	assert_int_equal(reach.addresses, most.addresses);
	assert_int_equal(reach.height, most.height);
	assert_true(reach.names_dead_end);
	known.add_fault(known.context, &b);
	assert_int_equal(known.find(known.context, &b, &reach), KNOWN_FAULTY);
	assert_int_equal(known.find(known.context, &a, &reach), KNOWN_REACH);
	known.add_fault(known.context, &a);
	assert_int_equal(known.find(known.context, &a, &reach), KNOWN_FAULTY);
}

static void what_is_sound_is_known(void **state)
{
	const struct known_entries known = walked_entries_known(&walked);
	struct table_entry a = entry_of("a");
	struct reach reach;

	(void)state;
	sound.height = 7;
	sound_entries_add(&sound, &a, 3);
	assert_int_equal(known.find(known.context, &a, &reach), KNOWN_REACH);
	assert_int_equal(reach.count, 3);
	assert_int_equal(reach.height, 7);
	assert_int_equal(reach.addresses, 21);
}

static void a_catch_all_has_no_place(void **state)
{
	const struct known_entries known = walked_entries_known(&walked);
	struct table_entry catch_all = entry_of("");
	struct reach reach;

	(void)state;
	walked_entries_add_fault(&walked, &catch_all);
	assert_int_equal(known.find(known.context, &catch_all, &reach), KNOWN_NOTHING);
}

static void limits_are_allowed_and_no_more(void **state)
{
	const struct known_entries known = walked_entries_known(&walked);
	struct reach reach = { asked.limits.expansion, RESOLVE_ADDRESSES_MAX, RECURSION - 1,
			       false };

	(void)state;
	assert_true(known.is_allowed(known.context, &reach));
	reach.height++;
	assert_false(known.is_allowed(known.context, &reach));
	reach.height--;
	reach.count++;
	assert_false(known.is_allowed(known.context, &reach));
	reach.count--;
	reach.addresses++;
	assert_false(known.is_allowed(known.context, &reach));
}

static void count_step(void *context, struct bytes key_local, struct bytes key_domain,
		       enum lookup found, const struct table_entry *entry)
{
	(void)context, (void)key_local, (void)key_domain, (void)found, (void)entry;
	steps++;
}

/* Expand every row with what is known so far; how many of them seem to be faulty. */
static size_t walk_all(void)
{
	const struct known_entries known = walked_entries_known(&walked);
	const struct resolve_limits no_limits = { SIZE_MAX, SIZE_MAX, 1000 };
	const struct resolve_options options = {
		.limits = &no_limits,
		.on_step = count_step,
		.known = &known,
	};
	struct arena arena;
	const struct inquiry inquiry = { asked.table, &options, &arena, NULL };
	const struct candidate_hit hit = { .is_catch_all = false };
	struct table_cursor cursor;
	struct table_row row;
	size_t faults = 0;

	arena_init(&arena, 1 << 28);
	table_rows_begin(asked.table, &cursor);
	while (table_next_row(asked.table, &cursor, &row) == LOOKUP_FOUND) {
		const struct candidate from = {
			.local = row.local,
			.domain = &row.domain,
			.written.local = row.local,
		};
		struct expansion expansion;

		arena_clear(&arena);
		expand(&inquiry, &from, &row.entry, &hit, &expansion);
		faults += expansion.reason != REASON_NONE;
	}
	arena_free(&arena);
	return faults;
}

/* Walking each from its begin took CHAIN * RECURSION steps. */
static void a_long_chain_is_walked_once(void **state)
{
	(void)state;
	steps = 0;
	assert_int_equal(walk_all(), CHAIN - (RECURSION - 1));
	assert_true(steps <= 4 * CHAIN);
}

static void a_large_circle_is_walked_once(void **state)
{
	(void)state;
	steps = 0;
	assert_int_equal(walk_all(), CHAIN);
	assert_true(steps <= 4 * CHAIN);
}

static void it_may_be_ended_twice(void **state)
{
	(void)state;
	walked_entries_free(&walked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_added_is_found),
		TEST(what_is_sound_is_known),
		TEST(a_catch_all_has_no_place),
		TEST(limits_are_allowed_and_no_more),
		cmocka_unit_test_setup_teardown(a_long_chain_is_walked_once, begin_chain, end),
		cmocka_unit_test_setup_teardown(a_large_circle_is_walked_once, begin_circle, end),
		TEST(it_may_be_ended_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
