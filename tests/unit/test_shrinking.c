/* SPDX-License-Identifier: BSD-2-Clause */
/* When a smaller table wants to be confirmed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "publish/shrinking.h"

static bool may(uint64_t entries, uint64_t domains, uint64_t new_entries, uint64_t new_domains,
		size_t limit, struct error *err)
{
	const struct table_facts before = { .entries = entries, .domains = domains };
	const struct table_facts after = { .entries = new_entries, .domains = new_domains };

	return shrinking_check(&before, &after, limit, err);
}

static void the_limit_itself_is_allowed(void **state)
{
	struct error err;

	(void)state;
	assert_true(may(100, 10, 50, 5, 50, &err));
	assert_false(may(100, 10, 49, 5, 50, &err));
	assert_int_equal(err.status, EX_DATAERR);
	assert_non_null(strstr(err.text, "has 49 entries, the installed one 100"));
	assert_false(may(100, 10, 50, 4, 50, &err));
	assert_non_null(strstr(err.text, "has 4 domains, the installed one 10"));
}

static void growing_and_a_first_table_are_allowed(void **state)
{
	struct error err;

	(void)state;
	assert_true(may(1, 1, 1000, 1000, 0, &err));
	assert_true(may(0, 0, 1, 0, 0, &err));
	assert_true(may(UINT64_C(1) << 50, 1, (UINT64_C(1) << 50) - 1, 1, 1, &err));
}

static void an_empty_one_is_not(void **state)
{
	struct error err;

	(void)state;
	assert_false(may(0, 0, 0, 3, 100, &err));
	assert_non_null(strstr(err.text, "is empty"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_itself_is_allowed),
		cmocka_unit_test(growing_and_a_first_table_are_allowed),
		cmocka_unit_test(an_empty_one_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
