/* SPDX-License-Identifier: BSD-2-Clause */
#include "database/row_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void add(struct row_store *store, const char *key, const char *value, uint32_t number)
{
	assert_true(row_store_add(store, bytes_of(key), bytes_of(value), value[0] != '\0', number));
}

static void values_of_a_key_are_joined(void **state)
{
	struct row_store store;
	struct row_store_key key;
	size_t position = 0;

	(void)state;
	assert_true(row_store_init(&store));
	assert_true(row_store_join(&store));
	assert_false(row_store_next(&store, &position, &key));
	assert_int_equal(position, 0);
	add(&store, "b", "1", 7);
	add(&store, "a", "2", 8);
	add(&store, "b", "3,4", 9);
	add(&store, "B", "", 0);
	add(&store, "b", "5", 0);
	assert_true(row_store_join(&store));
	assert_int_equal(store.key_count, 3);
	assert_true(row_store_next(&store, &position, &key));
	assert_true(bytes_equal(key.key, bytes_of("b")));
	assert_true(bytes_equal(key.value, bytes_of("1,3,4,5")));
	assert_int_equal(key.value_count, 3);
	assert_int_equal(key.number, 7);
	assert_true(row_store_next(&store, &position, &key));
	assert_true(bytes_equal(key.key, bytes_of("a")));
	assert_true(bytes_equal(key.value, bytes_of("2")));
	assert_true(row_store_next(&store, &position, &key));
	assert_true(bytes_equal(key.key, bytes_of("B")));
	assert_int_equal(key.value_count, 0);
	assert_false(row_store_next(&store, &position, &key));
	row_store_free(&store);
}

static void many_keys_are_kept_apart(void **state)
{
	enum { KEYS = 5000 };
	struct row_store store;
	struct row_store_key key;
	size_t position = 0;
	char text[32], value[32];

	(void)state;
	assert_true(row_store_init(&store));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < KEYS; i++) {
			(void)snprintf(text, sizeof(text), "%d@a.example", i);
			(void)snprintf(value, sizeof(value), "%d", i * 2 + round);
			add(&store, text, value, (uint32_t)i);
		}
	}
	assert_true(row_store_join(&store));
	for (int i = 0; i < KEYS; i++) {
		assert_true(row_store_next(&store, &position, &key));
		(void)snprintf(text, sizeof(text), "%d@a.example", i);
		(void)snprintf(value, sizeof(value), "%d,%d", i * 2, i * 2 + 1);
		assert_true(bytes_equal(key.key, bytes_of(text)));
		assert_true(bytes_equal(key.value, bytes_of(value)));
	}
	assert_false(row_store_next(&store, &position, &key));
	row_store_free(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_a_key_are_joined),
		cmocka_unit_test(many_keys_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
