/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/shrinking.h"

#include <sysexits.h>

#include "reported.h"

static struct reported reported;

static int begin(void **state)
{
	(void)state;
	reported_begin(&reported);
	return 0;
}

static int end(void **state)
{
	(void)state;
	reported_end(&reported);
	return 0;
}

static bool check(uint64_t entries_before, uint64_t entries, uint64_t domains_before,
		  uint64_t domains)
{
	const struct table_facts before = { .entries = entries_before, .domains = domains_before };
	const struct table_facts after = { .entries = entries, .domains = domains };

	return shrinking_check(&before, &after, 50, &reported.report);
}

static void half_may_go(void **state)
{
	(void)state;
	assert_true(check(10, 5, 4, 2));
	assert_true(check(10, 100, 4, 40));
	assert_true(check(0, 1, 0, 0)); /* there was none */
	assert_reported(&reported, "");
}

static void more_than_half_may_not(void **state)
{
	(void)state;
	assert_false(check(10, 4, 4, 4));
	assert_reported(&reported, "rcptmap: the new table has 4 entries, the installed one 10: "
				   "not published without --force\n");
	assert_false(check(10, 10, 4, 1));
	assert_reported(&reported, "rcptmap: the new table has 1 domains, the installed one 4: "
				   "not published without --force\n");
	assert_int_equal(reported.report.status, EX_DATAERR);
}

static void nothing_is_never_enough(void **state)
{
	(void)state;
	assert_false(check(0, 0, 0, 3));
	assert_reported(&reported, "rcptmap: the new table is empty: not published without "
				   "--force\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(half_may_go),
		TEST(more_than_half_may_not),
		TEST(nothing_is_never_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
