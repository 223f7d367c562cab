/* SPDX-License-Identifier: BSD-2-Clause */
/* At each size there is, and wherever memory ends. */
#include "resolve/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 3000 };

static char names[MANY][12];
static struct arena arena;
static struct seen_set set;

static int begin(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++)
		(void)snprintf(names[i], sizeof(names[i]), "u%d", i);
	arena_init(&arena, 1 << 20);
	seen_init(&set, &arena, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct seen *add(const char *key, const char *domain, bool expects_new)
{
	bool is_new;
	struct seen *seen = seen_add(&set, bytes_of(key), bytes_of(domain), &is_new);

	assert_non_null(seen);
	assert_int_equal(is_new, expects_new);
	assert_true(bytes_equal(seen->key, bytes_of(key)));
	assert_true(bytes_equal(seen->domain, bytes_of(domain)));
	return seen;
}

/* At each size there is one time, on both sides of the change to a table and of its growth. */
static void each_address_is_met_once(void **state)
{
	static struct seen *all[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		all[i] = add(names[i], "a.test", true);
		all[i]->count = (size_t)i;
		assert_int_equal(set.count, i + 1);
		for (int back = 0; back <= i && back < 20; back++)
			assert_ptr_equal(add(names[i - back], "a.test", false), all[i - back]);
		assert_ptr_equal(add(names[0], "a.test", false), all[0]);
	}
	for (int i = 0; i < MANY; i++) {
		assert_ptr_equal(add(names[i], "a.test", false), all[i]);
		assert_int_equal(all[i]->count, i);
	}
	assert_int_equal(set.count, MANY);
}

static void they_stay_in_the_order_met(void **state)
{
	const struct seen *seen;
	int i = 0;

	(void)state;
	for (i = 0; i < 100; i++) {
		(void)add(names[i], "a.test", true);
		(void)add(names[i / 2], "a.test", false);
	}
	i = 0;
	for (seen = set.first; seen != NULL; seen = seen->next)
		assert_string_equal(seen->key.data, names[i++]);
	assert_int_equal(i, 100);
	assert_string_equal(set.last->key.data, names[99]);
}

static void where_key_and_domain_part_counts(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		(void)add("ab", "c.test", i == 0);
		(void)add("ab", "d.test", i == 0);
		(void)add("a", "bc.test", i == 0);
		(void)add("", "abc.test", i == 0);
		(void)add("abc.test", "", i == 0);
		(void)add("c.test", "ab", i == 0);
		/* The second time there is a table. */
		for (int more = 0; i == 0 && more < 50; more++)
			(void)add(names[more], "d.test", true);
	}
}

static void a_new_one_has_nothing_said_of_it(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct seen *seen = add(names[i], "a.test", true);

		assert_false(seen->is_open || seen->maps_to_itself || seen->has_stayed);
		assert_int_equal(seen->count, 0);
		assert_int_equal(seen->height, 0);
		assert_null(seen->next);
		seen->is_open = seen->maps_to_itself = seen->has_stayed = true;
		seen->count = seen->height = 7;
	}
}

/* Wherever memory ends: what was met is still known, and what is new is never called known. */
static void without_memory_nothing_is_made_up(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 60000; limit += 400) {
		int met = 0;
		bool is_new = false;

		arena_free(&arena);
		arena_init(&arena, limit);
		seen_init(&set, &arena, 1);
		while (met < MANY &&
		       seen_add(&set, bytes_of(names[met]), bytes_of("a"), &is_new) != NULL) {
			assert_true(is_new);
			met++;
		}
		assert_true(met < MANY);
		assert_true(is_new);
		for (int i = 0; i < met; i++)
			(void)add(names[i], "a", false);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_address_is_met_once),          TEST(they_stay_in_the_order_met),
		TEST(where_key_and_domain_part_counts),  TEST(a_new_one_has_nothing_said_of_it),
		TEST(without_memory_nothing_is_made_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
