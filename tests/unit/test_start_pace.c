/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/start_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void who_dies_late_is_followed_at_once(void **state)
{
	struct start_pace pace = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(start_pace_next(&pace, START_PACE_EARLY_MS), 0);
}

static void early_deaths_in_a_row_make_the_pause_grow(void **state)
{
	static const long pauses_ms[] = { 0, 100, 200, 400, 800, 800, 800 };
	struct start_pace pace = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++)
		assert_int_equal(start_pace_next(&pace, 0), pauses_ms[i]);
	/* One that lived long enough ends the row. */
	assert_int_equal(start_pace_next(&pace, START_PACE_EARLY_MS), 0);
	assert_int_equal(start_pace_next(&pace, START_PACE_EARLY_MS - 1), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_dies_late_is_followed_at_once),
		cmocka_unit_test(early_deaths_in_a_row_make_the_pause_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
