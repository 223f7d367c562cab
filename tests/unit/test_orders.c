/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/orders.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2];

static int begin(void **state)
{
	(void)state;
	return orders_open(ends) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			(void)close(ends[i]);
	return 0;
}

static void close_end(int number)
{
	assert_int_equal(close(ends[number]), 0);
	ends[number] = -1;
}

static void messages_come_in_order_both_ways(void **state)
{
	(void)state;
	assert_int_equal(orders_read(ends[1]), ORDERS_SILENT);
	assert_true(orders_write(ends[0], ORDER_RELOAD));
	assert_true(orders_write(ends[0], ORDER_STOP));
	assert_int_equal(orders_read(ends[1]), ORDER_RELOAD);
	assert_true(orders_write(ends[1], REPORT_KEPT));
	assert_int_equal(orders_read(ends[1]), ORDER_STOP);
	assert_int_equal(orders_read(ends[0]), REPORT_KEPT);
	assert_int_equal(orders_read(ends[0]), ORDERS_SILENT);
}

static void what_was_said_before_the_end_is_heard(void **state)
{
	(void)state;
	assert_true(orders_write(ends[0], REPORT_READY));
	close_end(0);
	assert_int_equal(orders_read(ends[1]), REPORT_READY);
	assert_int_equal(orders_read(ends[1]), ORDERS_ENDED);
	assert_int_equal(orders_read(ends[1]), ORDERS_ENDED);
}

/* And no SIGPIPE. */
static void nobody_can_be_told_who_is_gone(void **state)
{
	(void)state;
	close_end(0);
	assert_false(orders_write(ends[1], REPORT_READY));
}

static void who_never_reads_holds_nobody_up(void **state)
{
	size_t written = 0;

	(void)state;
	while (orders_write(ends[0], ORDER_RELOAD))
		assert_true(++written < 10000000);
	assert_true(written > 0);
	assert_int_equal(orders_read(ends[1]), ORDER_RELOAD);
}

static void no_program_inherits_them(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(ends[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_come_in_order_both_ways), TEST(what_was_said_before_the_end_is_heard),
		TEST(nobody_can_be_told_who_is_gone),   TEST(who_never_reads_holds_nobody_up),
		TEST(no_program_inherits_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
