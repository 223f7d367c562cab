/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/orders.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	int ends[2];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_true(orders_open(fixture->ends));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	(void)close(fixture->ends[0]); /* some tests have closed one */
	(void)close(fixture->ends[1]);
	free(fixture);
	return 0;
}

static void orders_come_one_by_one(void **state)
{
	const struct fixture *fixture = *state;
	int descriptor = 99;

	assert_int_equal(orders_read(fixture->ends[1], &descriptor), ORDERS_SILENT);
	assert_int_equal(descriptor, -1);
	assert_true(orders_write(fixture->ends[0], ORDER_STOP, -1));
	assert_true(orders_write(fixture->ends[0], ORDER_RELOAD, -1));
	assert_int_equal(orders_read(fixture->ends[1], &descriptor), ORDER_STOP);
	assert_int_equal(orders_read(fixture->ends[1], NULL), ORDER_RELOAD);
	assert_int_equal(orders_read(fixture->ends[1], NULL), ORDERS_SILENT);
	assert_true(orders_write(fixture->ends[1], REPORT_KEPT, -1));
	assert_int_equal(orders_read(fixture->ends[0], NULL), REPORT_KEPT);
}

static void the_end_is_a_message(void **state)
{
	const struct fixture *fixture = *state;

	assert_true(orders_write(fixture->ends[0], ORDER_STOP, -1));
	assert_int_equal(close(fixture->ends[0]), 0);
	assert_int_equal(orders_read(fixture->ends[1], NULL), ORDER_STOP);
	assert_int_equal(orders_read(fixture->ends[1], NULL), ORDERS_ENDED);
	assert_false(orders_write(fixture->ends[1], REPORT_READY, -1));
}

/* The order that it goes with, and no other one. */
static void a_descriptor_goes_with_its_order(void **state)
{
	const struct fixture *fixture = *state;
	char text[4] = "";
	int descriptor;
	int pair[2];

	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], "abc", 3), 3);
	assert_true(orders_write(fixture->ends[0], ORDER_STOP, -1));
	assert_true(orders_write(fixture->ends[0], ORDER_RELOAD, pair[0]));
	assert_true(orders_write(fixture->ends[0], ORDER_STOP, -1));
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(orders_read(fixture->ends[1], &descriptor), ORDER_STOP);
	assert_int_equal(descriptor, -1);
	assert_int_equal(orders_read(fixture->ends[1], &descriptor), ORDER_RELOAD);
	assert_true(descriptor >= 0);
	assert_int_equal(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(read(descriptor, text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
	assert_int_equal(close(descriptor), 0);
	assert_int_equal(orders_read(fixture->ends[1], &descriptor), ORDER_STOP);
	assert_int_equal(descriptor, -1);
	assert_int_equal(close(pair[1]), 0);
}

static void who_wants_no_descriptor_gets_none(void **state)
{
	const struct fixture *fixture = *state;
	int next = dup(fixture->ends[0]);

	assert_true(orders_write(fixture->ends[0], ORDER_RELOAD, next));
	assert_int_equal(close(next), 0);
	assert_int_equal(orders_read(fixture->ends[1], NULL), ORDER_RELOAD);
	/* The lowest free number is as free as before. */
	assert_int_equal(dup(fixture->ends[0]), next);
	assert_int_equal(close(next), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(orders_come_one_by_one),
		TEST(the_end_is_a_message),
		TEST(a_descriptor_goes_with_its_order),
		TEST(who_wants_no_descriptor_gets_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
