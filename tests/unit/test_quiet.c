/* SPDX-License-Identifier: BSD-2-Clause */
/* When changes count as over, without waiting for it. */
#include "follow/quiet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void nothing_is_over_that_has_not_begun(void **state)
{
	struct quiet quiet = { 0 };

	(void)state;
	assert_false(quiet_is_over(&quiet, INT64_MAX));
	quiet_break(&quiet, 1000);
	quiet_end(&quiet);
	assert_false(quiet_is_over(&quiet, INT64_MAX));
}

static void changes_that_come_close_are_one(void **state)
{
	struct quiet quiet = { 0 };

	(void)state;
	quiet_break(&quiet, 1000);
	assert_false(quiet_is_over(&quiet, 1249));
	assert_true(quiet_is_over(&quiet, 1250));
	quiet_break(&quiet, 1249);
	assert_false(quiet_is_over(&quiet, 1498));
	assert_true(quiet_is_over(&quiet, 1499));
}

static void those_that_never_end_are_over_at_some_time(void **state)
{
	struct quiet quiet = { 0 };

	(void)state;
	for (int64_t now = 1000; now < 6000; now += 100) {
		quiet_break(&quiet, now);
		assert_false(quiet_is_over(&quiet, now));
	}
	assert_true(quiet_is_over(&quiet, 6000));
	quiet_break(&quiet, 6000);
	assert_true(quiet_is_over(&quiet, 6000));
	/* And what comes next has its own time. */
	quiet_end(&quiet);
	quiet_break(&quiet, 6001);
	assert_false(quiet_is_over(&quiet, 6250));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_over_that_has_not_begun),
		cmocka_unit_test(changes_that_come_close_are_one),
		cmocka_unit_test(those_that_never_end_are_over_at_some_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
