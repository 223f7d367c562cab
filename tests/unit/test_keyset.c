/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/keyset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MANY = 5000 };

static struct keyset_entry entries[MANY];
static char texts[MANY][16];

static struct bytes key_of(int i)
{
	(void)snprintf(texts[i], sizeof(texts[i]), "key%d", i);
	return bytes_of(texts[i]);
}

static void what_is_put_in_is_found_in_order(void **state)
{
	struct arena arena;
	struct keyset set;
	int i = 0;

	(void)state;
	arena_init(&arena, 1 << 24);
	keyset_init(&set, &arena, 7);
	assert_null(keyset_find(&set, bytes_of("key0")));
	for (i = 0; i < MANY; i++) {
		entries[i] = (struct keyset_entry){ .key = key_of(i) };
		assert_true(keyset_reserve(&set, 1));
		assert_null(keyset_find(&set, entries[i].key));
		keyset_insert(&set, &entries[i]);
	}
	assert_int_equal(set.count, MANY);
	for (i = 0; i < MANY; i++)
		assert_ptr_equal(keyset_find(&set, key_of(i)), &entries[i]);
	assert_null(keyset_find(&set, bytes_of("key")));
	assert_null(keyset_find(&set, bytes_make(NULL, 0)));
	i = 0;
	for (struct keyset_entry *entry = set.first; entry != NULL; entry = entry->next)
		assert_ptr_equal(entry, &entries[i++]);
	assert_int_equal(i, MANY);
	arena_free(&arena);
}

static void without_room_nothing_changes(void **state)
{
	struct arena arena;
	struct keyset set;

	(void)state;
	arena_init(&arena, 600);
	keyset_init(&set, &arena, 7);
	entries[0] = (struct keyset_entry){ .key = bytes_of("a") };
	assert_true(keyset_reserve(&set, 1));
	keyset_insert(&set, &entries[0]);
	assert_false(keyset_reserve(&set, 1000));
	assert_false(keyset_reserve(&set, SIZE_MAX));
	assert_ptr_equal(keyset_find(&set, bytes_of("a")), &entries[0]);
	assert_int_equal(set.count, 1);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_in_is_found_in_order),
		cmocka_unit_test(without_room_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
