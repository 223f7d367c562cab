/* SPDX-License-Identifier: BSD-2-Clause */
/* Each address once, in the order met; and no choice of addresses makes the search slow. */
#include "resolve/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hash.h"

enum {
	MANY = 500, /* far more than are compared one by one */
	KEY_BYTES = 16,
	COLLIDING_BITS = 0xfff,
	LONGEST_RUN = 100, /* of full slots; half of them are empty */
};

static const struct bytes domain = { .data = "ours.test", .size = 9 };

struct fixture {
	struct arena arena;
	struct seen_set set;
	char keys[MANY][KEY_BYTES];
};

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	arena_init(&fixture.arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&fixture.arena);
	return 0;
}

/* Keys whose hashes under SEED all want the same slot. */
static void choose_colliding_keys(uint64_t seed)
{
	uint64_t domain_hash = hash_key(domain, seed);
	unsigned number = 0;

	for (size_t i = 0; i < MANY; i++)
		do {
			(void)snprintf(fixture.keys[i], KEY_BYTES, "u%u", number++);
		} while ((hash_key(bytes_of(fixture.keys[i]), domain_hash) & COLLIDING_BITS) != 0);
}

static void add_keys(uint64_t seed)
{
	seen_init(&fixture.set, &fixture.arena, seed);
	for (size_t i = 0; i < MANY; i++) {
		bool is_new;

		assert_non_null(seen_add(&fixture.set, bytes_of(fixture.keys[i]), domain, &is_new));
		assert_true(is_new);
	}
}

static size_t longest_run(void)
{
	size_t run = 0;
	size_t longest = 0;

	for (size_t i = 0; i <= fixture.set.slot_mask; i++) {
		run = fixture.set.slots[i] == NULL ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void each_address_is_there_once_in_order(void **state)
{
	const struct seen *seen;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		(void)snprintf(fixture.keys[i], KEY_BYTES, "u%zu", i);
	add_keys(7);
	seen = fixture.set.first;
	for (size_t i = 0; i < MANY; i++, seen = seen->next) {
		bool is_new;

		assert_ptr_equal(seen_add(&fixture.set, bytes_of(fixture.keys[i]), domain, &is_new),
				 seen);
		assert_false(is_new);
	}
	assert_null(seen);
	assert_int_equal(fixture.set.count, MANY);
}

static void the_same_user_elsewhere_is_another_address(void **state)
{
	bool is_new;
	struct seen *here;

	(void)state;
	seen_init(&fixture.set, &fixture.arena, 7);
	here = seen_add(&fixture.set, bytes_of("ann"), domain, &is_new);
	assert_ptr_not_equal(seen_add(&fixture.set, bytes_of("ann"), bytes_of("far.test"), &is_new),
			     here);
	assert_true(is_new);
}

static void who_does_not_know_the_seed_makes_no_collisions(void **state)
{
	(void)state;
	choose_colliding_keys(0);
	add_keys(7);
	assert_true(longest_run() < LONGEST_RUN);
	/* Who knows it does: else this test could not fail. */
	choose_colliding_keys(7);
	add_keys(7);
	assert_true(longest_run() >= MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_address_is_there_once_in_order, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_same_user_elsewhere_is_another_address, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(who_does_not_know_the_seed_makes_no_collisions,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
