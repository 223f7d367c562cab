/* SPDX-License-Identifier: BSD-2-Clause */
/* The linker puts the clock_gettime() below in the place of the system's (see Makefile.inc). */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static struct timespec made_up;
static clockid_t asked;

int __wrap_clock_gettime(clockid_t which, struct timespec *out_now);

int __wrap_clock_gettime(clockid_t which, struct timespec *out_now)
{
	asked = which;
	*out_now = made_up;
	return 0;
}

static void units_are_those_of_the_names(void **state)
{
	(void)state;
	made_up = (struct timespec){ .tv_sec = 12, .tv_nsec = 345678901 };
	assert_int_equal(clock_seconds(), 12);
	assert_int_equal(clock_milliseconds(), 12345);
	assert_int_equal(clock_microseconds(), 12345678);
}

static void the_date_does_not_matter(void **state)
{
	(void)state;
	asked = CLOCK_REALTIME;
	(void)clock_seconds(); /* for what it asks */
	assert_int_equal(asked, CLOCK_MONOTONIC);
	asked = CLOCK_REALTIME;
	(void)clock_milliseconds(); /* likewise */
	assert_int_equal(asked, CLOCK_MONOTONIC);
	asked = CLOCK_REALTIME;
	(void)clock_microseconds(); /* likewise */
	assert_int_equal(asked, CLOCK_MONOTONIC);
}

/* 68 years are more milliseconds than 32 bits hold. */
static void long_times_fit(void **state)
{
	(void)state;
	made_up = (struct timespec){ .tv_sec = 2147483647, .tv_nsec = 999999999 };
	assert_true(clock_milliseconds() == INT64_C(2147483647999));
	assert_true(clock_microseconds() == INT64_C(2147483647999999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_those_of_the_names),
		cmocka_unit_test(the_date_does_not_matter),
		cmocka_unit_test(long_times_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
