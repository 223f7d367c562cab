/* SPDX-License-Identifier: BSD-2-Clause */
#include "database/like_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

#include <cmocka.h>

static void check(const char *like, const char *targets, const char *delimiters,
		  const char *expression, const char *template)
{
	struct source_row row = { .key = bytes_of(like), .value = bytes_of(targets) };
	struct buffer first, second;
	struct error err;

	buffer_init(&first, 1000);
	buffer_init(&second, 1000);
	assert_true(like_pattern_make(&row, bytes_of(delimiters), &first, &second, &err));
	assert_int_equal(row.kind, SOURCE_ROW_PATTERN);
	assert_true(bytes_equal(row.pattern.expression, bytes_of(expression)));
	assert_true(bytes_equal(row.value, bytes_of(template)));
	assert_int_equal(row.pattern.group_count, 0);
	assert_true((row.pattern.flags & TABLE_PATTERN_CASELESS) != 0);
	buffer_free(&first);
	buffer_free(&second);
}

static void wildcards_become_expressions(void **state)
{
	(void)state;
	check("a%b_c@x.example", "y@x.example", "", "^a.*b.c@x\\.example$", "y@x.example");
	check("%@x.example", "y@x.example", "+", "^.*(?:[\\+].*)?@x\\.example$", "y@x.example");
	check("a.b@x.example", "y@x.example", "+-", "^a\\.b(?:[\\+\\-].*)?@x\\.example$",
	      "y@x.example");
	check("a@b%@x.example", "y@x.example", "", "^a\\@b.*@x\\.example$", "y@x.example");
	check("\xc3\xa4(%@x.example", "a$1@x.example,$", "", "^\xc3\xa4\\(.*@x\\.example$",
	      "a$$1@x.example,$$");
}

static void wildcards_of_a_domain_are_none(void **state)
{
	(void)state;
	check("a@%_.example", "y@x.example", "", "^a@\\%\\_\\.example$", "y@x.example");
}

static void refuse(const char *like, size_t room, int status)
{
	struct source_row row = { .key = bytes_of(like), .value = bytes_of("y@x.example") };
	struct buffer first, second;
	struct error err;

	buffer_init(&first, room);
	buffer_init(&second, room);
	assert_false(like_pattern_make(&row, bytes_of("+"), &first, &second, &err));
	assert_int_equal(err.status, status);
	buffer_free(&first);
	buffer_free(&second);
}

static void what_has_no_domain_is_no_pattern(void **state)
{
	(void)state;
	refuse("a%", 1000, EX_DATAERR);
	refuse("a%@", 1000, EX_DATAERR);
	refuse("", 1000, EX_DATAERR);
	refuse("a%@x.example", 5, EX_OSERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards_become_expressions),
		cmocka_unit_test(wildcards_of_a_domain_are_none),
		cmocka_unit_test(what_has_no_domain_is_no_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
