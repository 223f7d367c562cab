/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that lives and dies together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void test_pieces_do_not_overlap(void **state)
{
	enum { PIECES = 500 };
	static unsigned char *pieces[PIECES];
	struct arena arena;

	(void)state;
	arena_init(&arena, SIZE_MAX);
	for (size_t i = 0; i < PIECES; i++) {
		pieces[i] = arena_alloc(&arena, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)(i % 251), i);
	}
	for (size_t i = 0; i < PIECES; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal(pieces[i][k], i % 251);
	arena_free(&arena);
}

static void test_limit(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 100000);
	assert_null(arena_alloc(&arena, 100001));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 7));
	assert_int_equal(arena.used_bytes, 0);
	assert_non_null(arena_alloc(&arena, 50000));
	assert_null(arena_alloc(&arena, 50016));
	assert_non_null(arena_alloc(&arena, 50000));
	assert_null(arena_alloc(&arena, 1));
	/* Nothing is always to be had. */
	assert_non_null(arena_alloc(&arena, 0));
	arena_clear(&arena);
	assert_int_equal(arena.used_bytes, 0);
	assert_non_null(arena_alloc(&arena, 100000));
	arena_free(&arena);
}

static void test_first_chunk_is_kept(void **state)
{
	struct arena arena;
	void *first;

	(void)state;
	arena_init(&arena, SIZE_MAX);
	first = arena_alloc(&arena, 10);
	assert_non_null(arena_alloc(&arena, 100000));
	assert_non_null(arena_alloc(&arena, 100));
	arena_clear(&arena);
	assert_ptr_equal(arena_alloc(&arena, 10), first);
	arena_free(&arena);
}

static void test_copy(void **state)
{
	struct arena arena;
	struct bytes copy;
	const char text[] = "a\0b";

	(void)state;
	arena_init(&arena, 64);
	assert_true(arena_copy(&arena, bytes_make(text, 3), &copy));
	assert_int_equal(copy.size, 3);
	assert_memory_equal(copy.data, text, 4);
	assert_ptr_not_equal(copy.data, text);
	assert_true(arena_copy(&arena, bytes_make(NULL, 0), &copy));
	assert_int_equal(copy.size, 0);
	assert_string_equal(copy.data, "");
	assert_string_equal(arena_text(&arena, bytes_of("b")), "b");
	/* What failed leaves no text that could be taken for an empty one. */
	copy = bytes_of("before");
	assert_false(arena_copy(&arena, bytes_make(text, SIZE_MAX), &copy));
	assert_false(arena_copy(&arena, bytes_make("0123456789012345678901234567890123456789", 40),
				&copy));
	assert_string_equal(copy.data, "before");
	assert_null(arena_text(&arena, bytes_make("0123456789012345678901234567890123456789", 40)));
	arena_free(&arena);
}

static void test_join(void **state)
{
	const struct bytes parts[] = {
		bytes_of("user"),
		bytes_of("@"),
		bytes_make(NULL, 0),
		bytes_of("host"),
	};
	const struct bytes endless[] = { bytes_of("a"), bytes_make("b", SIZE_MAX - 1) };
	struct bytes joined = bytes_of("before");
	struct arena arena;

	(void)state;
	arena_init(&arena, 32);
	assert_false(arena_join(&arena, endless, 2, &joined));
	assert_string_equal(joined.data, "before");
	assert_true(arena_join(&arena, parts, 4, &joined));
	assert_int_equal(joined.size, 9);
	assert_string_equal(joined.data, "user@host");
	assert_true(arena_join(&arena, parts, 0, &joined));
	assert_string_equal(joined.data, "");
	assert_false(arena_join(&arena, parts, 1, &joined));
	arena_free(&arena);
}

static void test_end_at_any_state(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 1000);
	arena_clear(&arena);
	arena_free(&arena);
	arena_free(&arena);
	assert_non_null(arena_alloc(&arena, 992));
	arena_free(&arena);
	assert_int_equal(arena.limit_bytes, 1000);
	assert_int_equal(arena.used_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_first_chunk_is_kept),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_end_at_any_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
