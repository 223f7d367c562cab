/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_json(const char *text, size_t size, const char *expected)
{
	struct buffer out;
	struct json json;

	buffer_init(&out, 4096);
	json_init(&json, &out);
	json_string(&json, bytes_make(text, size));
	assert_false(out.has_failed);
	assert_string_equal(out.data, expected);
	buffer_free(&out);
}

static void strings_are_escaped(void **state)
{
	(void)state;
	expect_json("", 0, "\"\"");
	expect_json("ann@example.org", 15, "\"ann@example.org\"");
	expect_json("\"q\\x\"", 5, "\"\\\"q\\\\x\\\"\"");
	expect_json("a\tb\0c\x7f", 6, "\"a\\u0009b\\u0000c\\u007f\"");
	expect_json("m\xc3\xbcnchen \xf0\x9f\x93\xa7", 13, "\"m\xc3\xbcnchen \xf0\x9f\x93\xa7\"");
}

static void bad_utf8_is_replaced(void **state)
{
	(void)state;
	expect_json("a\xff"
		    "b",
		    3,
		    "\"a\xef\xbf\xbd"
		    "b\"");
	/* Cut short, overlong, a surrogate. */
	expect_json("\xc3", 1, "\"\xef\xbf\xbd\"");
	expect_json("\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	expect_json("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void commas_come_by_themselves(void **state)
{
	struct buffer out;
	struct json json;

	(void)state;
	buffer_init(&out, 4096);
	json_init(&json, &out);
	json_object_begin(&json);
	json_name(&json, "a");
	json_array_begin(&json);
	json_number(&json, UINT64_MAX);
	json_boolean(&json, true);
	json_array_begin(&json);
	json_array_end(&json);
	json_null(&json);
	json_array_end(&json);
	json_name(&json, "b");
	json_object_begin(&json);
	json_object_end(&json);
	json_name(&json, "c");
	json_written(&json, bytes_of("[1,2]"));
	json_object_end(&json);
	assert_string_equal(out.data,
			    "{\"a\":[18446744073709551615,true,[],null],\"b\":{},\"c\":[1,2]}");
	buffer_free(&out);
}

static void no_room_is_told_by_the_buffer(void **state)
{
	struct buffer out;
	struct json json;

	(void)state;
	buffer_init(&out, 4);
	json_init(&json, &out);
	json_string(&json, bytes_of("too long"));
	assert_true(out.has_failed);
	buffer_free(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(bad_utf8_is_replaced),
		cmocka_unit_test(commas_come_by_themselves),
		cmocka_unit_test(no_room_is_told_by_the_buffer),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
