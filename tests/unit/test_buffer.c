/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that grow, up to a limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"

static void test_append(void **state)
{
	struct buffer buffer;
	char *at;

	(void)state;
	buffer_init(&buffer, 1000);
	assert_int_equal(buffer_bytes(&buffer).size, 0);
	assert_true(buffer_append(&buffer, bytes_make(NULL, 0)));
	assert_true(buffer_append(&buffer, bytes_make("a\0b", 3)));
	assert_true(buffer_append_text(&buffer, "cd"));
	assert_true(buffer_append_byte(&buffer, 'e'));
	assert_true(buffer_append_format(&buffer, "%d-%s", 12, "x"));
	assert_true(buffer_append_number(&buffer, 0));
	assert_true(buffer_append_number(&buffer, UINT64_MAX));
	at = buffer_extend(&buffer, 2);
	assert_non_null(at);
	memcpy(at, "yz", 2);
	assert_int_equal(buffer_bytes(&buffer).size, 33);
	assert_memory_equal(buffer_bytes(&buffer).data, "a\0bcde12-x018446744073709551615yz", 34);
	assert_false(buffer.has_failed);
	buffer_free(&buffer);
}

static void test_growth(void **state)
{
	enum { TIMES = 100000 };
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, TIMES);
	for (int i = 0; i < TIMES; i++)
		assert_true(buffer_append_byte(&buffer, (char)(i % 127)));
	for (int i = 0; i < TIMES; i++)
		assert_int_equal(buffer.data[i], i % 127);
	assert_false(buffer_append_byte(&buffer, 'x'));
	buffer_free(&buffer);
}

static void test_failure_leaves_contents(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 5);
	assert_true(buffer_append_text(&buffer, "abc"));
	assert_false(buffer_append_text(&buffer, "def"));
	assert_true(buffer.has_failed);
	assert_string_equal(buffer.data, "abc");
	assert_false(buffer_append_format(&buffer, "%s", "def"));
	assert_null(buffer_extend(&buffer, SIZE_MAX));
	assert_string_equal(buffer.data, "abc");
	/* What fits still goes in, but the failure isn't forgotten. */
	assert_true(buffer_append_text(&buffer, "de"));
	assert_true(buffer.has_failed);
	assert_string_equal(buffer.data, "abcde");
	buffer_clear(&buffer);
	assert_false(buffer.has_failed);
	assert_int_equal(buffer_bytes(&buffer).size, 0);
	assert_true(buffer_append_text(&buffer, "12345"));
	buffer_free(&buffer);
}

static void test_end_at_any_state(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 10);
	buffer_clear(&buffer);
	buffer_free(&buffer);
	buffer_free(&buffer);
	assert_true(buffer_append_text(&buffer, "0123456789"));
	buffer_free(&buffer);
	assert_int_equal(buffer.limit, 10);
	buffer_init(&buffer, 0);
	assert_true(buffer_append_text(&buffer, ""));
	assert_false(buffer_append_byte(&buffer, 'x'));
	buffer_free(&buffer);
}

static void what_is_put_in_moves_the_rest(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 7);
	assert_true(buffer_append_text(&buffer, "ad"));
	assert_true(buffer_insert(&buffer, 1, bytes_of("bc")));
	assert_true(buffer_insert(&buffer, 0, bytes_of("<")));
	assert_true(buffer_insert(&buffer, 5, bytes_of(">")));
	assert_true(bytes_equal(buffer_bytes(&buffer), bytes_of("<abcd>")));
	assert_false(buffer_insert(&buffer, 0, bytes_of("12")));
	assert_true(buffer.has_failed);
	buffer_free(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_failure_leaves_contents),
		cmocka_unit_test(test_end_at_any_state),
		cmocka_unit_test(what_is_put_in_moves_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
