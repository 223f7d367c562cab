/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/sound_entries.h"

#include "ask_table.h"

static struct asked asked;
static struct sound_entries sound;

static int begin(void **state)
{
	static const char *const rows[] = { "a@a.test x@far.test", "b@a.test y@far.test",
					    "@a.test z@far.test", NULL };

	(void)state;
	asked_make(&asked, rows);
	return sound_entries_init(&sound, asked.table, &asked.limits) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	sound_entries_free(&sound);
	asked_free(&asked);
	return 0;
}

/* The entry of LOCAL at a.test; empty: the catch-all. */
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

static void nothing_is_known_at_first(void **state)
{
	struct table_entry a = entry_of("a");

	(void)state;
	assert_int_equal(sound_entries_find(&sound, &a), 0);
	assert_int_equal(sound.height, 1);
	assert_int_equal(sound.limits.expansion, asked.limits.expansion);
}

static void what_is_added_is_known_of_that_entry_alone(void **state)
{
	struct table_entry a = entry_of("a");
	struct table_entry b = entry_of("b");

	(void)state;
	sound_entries_add(&sound, &a, 3);
	assert_int_equal(sound_entries_find(&sound, &a), 3);
	assert_int_equal(sound_entries_find(&sound, &b), 0);
	sound_entries_add(&sound, &b, 1);
	assert_int_equal(sound_entries_find(&sound, &a), 3);
	assert_int_equal(sound_entries_find(&sound, &b), 1);
}

/* One more than fits must not become 0 modulo something, which would be few recipients. */
static void a_large_count_is_not_kept(void **state)
{
	static const size_t large[] = { 256, 257, 512, 65536, SIZE_MAX };
	struct table_entry a = entry_of("a");
	struct table_entry b = entry_of("b");

	(void)state;
	sound_entries_add(&sound, &a, 255);
	assert_int_equal(sound_entries_find(&sound, &a), 255);
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		sound_entries_add(&sound, &b, large[i]);
		assert_int_equal(sound_entries_find(&sound, &b), 0);
	}
}

static void a_catch_all_has_no_place(void **state)
{
	struct table_entry catch_all = entry_of("");

	(void)state;
	sound_entries_add(&sound, &catch_all, 1);
	assert_int_equal(sound_entries_find(&sound, &catch_all), 0);
}

static void it_may_be_ended_twice(void **state)
{
	(void)state;
	sound_entries_free(&sound);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_known_at_first), TEST(what_is_added_is_known_of_that_entry_alone),
		TEST(a_large_count_is_not_kept), TEST(a_catch_all_has_no_place),
		TEST(it_may_be_ended_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
