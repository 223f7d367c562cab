/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mail/address.h"
#include "mail/plain_key.h"

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

static void expect_plain_key(const char *text, const char *local, const char *domain)
{
	struct bytes found_local;
	struct bytes found_domain;

	assert_true(plain_split_key(bytes_of(text), &found_local, &found_domain));
	assert_true(bytes_equal(found_local, bytes_of(local)));
	assert_true(bytes_equal(found_domain, bytes_of(domain)));
}

static void plain_keys_need_no_parser(void **state)
{
	static const char *const others[] = {
		"",          "ann",   "ann@",   "Ann@a.org", "ann@A.org", "a@b@c.org",
		"a b@c.org", "a@c. ", "a@c.o.", "\"a\"@c",   "<a@c.org>", "\xc3\xbc@c.org",
		"a%b@c.org", "@",
	};
	struct bytes local;
	struct bytes domain;

	(void)state;
	expect_plain_key("ann+x@example.org", "ann+x", "example.org");
	expect_plain_key("@example.org", "", "example.org");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(plain_split_key(bytes_of(others[i]), &local, &domain));
}

/* Whatever is called plain, the printer of addresses must print without quotes. */
static void plain_local_parts_need_no_quotes(void **state)
{
	static const char bytes[] = "aZ0.-_+ \"\\@#(";
	char text[4];
	size_t plain_count = 0;

	(void)state;
	for (size_t i = 0; i < 13 * 13 * 13; i++) {
		struct address address = { .local = bytes_make(text, 1 + i % 3) };
		struct buffer printed;

		text[0] = bytes[i % 13];
		text[1] = bytes[i / 13 % 13];
		text[2] = bytes[i / 169];
		buffer_init(&printed, 64);
		assert_true(address_print(&address, &printed));
		if (plain_local(address.local)) {
			assert_true(bytes_equal(buffer_bytes(&printed), address.local));
			plain_count++;
		}
		buffer_free(&printed);
	}
	assert_true(plain_count > 100);
	assert_false(plain_local(bytes_of("")));
	assert_false(plain_local(bytes_of("a.")));
	assert_false(plain_local(bytes_of("a#")));
	assert_false(plain_local(bytes_of("a..b")));
	assert_true(plain_local(bytes_of("a.b")));
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
		cmocka_unit_test(plain_keys_need_no_parser),
		cmocka_unit_test(plain_local_parts_need_no_quotes),
		cmocka_unit_test(patterns_are_lines_of_a_pcre_source),
		cmocka_unit_test(fields_stay_on_their_line),
	};

	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
