/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_key(const char *local, const char *domain, const char *expected)
{
	struct buffer out;

	buffer_init(&out, 4096);
	print_key(bytes_of(local), bytes_of(domain), &out);
	assert_string_equal(out.data, expected);
	buffer_free(&out);
}

static void keys_read_back_as_what_they_are(void **state)
{
	(void)state;
	expect_key("ann", "example.org", "ann@example.org");
	expect_key("", "example.org", "@example.org");
	expect_key("root", "", "root");
	expect_key("q x", "example.org", "\"q x\"@example.org");
	expect_key("q\"x\\", "example.org", "\"q\\\"x\\\\\"@example.org");
	/* Else a comment. */
	expect_key("#ann", "example.org", "\"#ann\"@example.org");
	expect_key("# ann", "example.org", "\"# ann\"@example.org");
	/* Else a domain. */
	expect_key("first.last", "", "\"first.last\"");
}

static void expect_pattern(unsigned flags, const char *expression, const char *expected)
{
	struct table_pattern pattern = { .kind = TABLE_PATTERN_RULE, .flags = flags };
	struct buffer out;

	pattern.expression = bytes_of(expression);
	buffer_init(&out, 4096);
	print_pattern_key(&pattern, &out);
	assert_string_equal(out.data, expected);
	buffer_free(&out);
}

static void patterns_are_lines_of_a_pcre_source(void **state)
{
	const unsigned usual = TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL;

	(void)state;
	expect_pattern(usual, "^a@", "/^a@/");
	expect_pattern(0, "^a@", "/^a@/is");
	expect_pattern(usual | TABLE_PATTERN_NEGATED | TABLE_PATTERN_EXTENDED, "a/b", "!|a/b|x");
}

static void fields_stay_on_their_line(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out, 4096);
	print_field(bytes_of("\"q x\"@m\xc3\xbcnchen.test"), &out);
	print_field(bytes_of("|a\tb\n\xff"), &out);
	assert_string_equal(out.data, "\"q x\"@m\xc3\xbcnchen.test|a\\x09b\\x0a\\xff");
	buffer_free(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_read_back_as_what_they_are),
		cmocka_unit_test(patterns_are_lines_of_a_pcre_source),
		cmocka_unit_test(fields_stay_on_their_line),
	};

	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
