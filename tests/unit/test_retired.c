/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/retired.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "service/log.h"

enum { NOW_MS = 1000 };

/* The workers' ends of what they are told. */
static int ends[RETIRED_ROOM];

/* One that lives until it is killed. */
static struct worker_process worker(size_t index)
{
	struct worker_process process = WORKER_PROCESS_NONE;
	int pair[2];

	assert_true(orders_open(pair));
	process.pid = fork();
	if (process.pid == 0)
		for (;;)
			(void)pause();
	process.orders_fd = pair[0];
	process.number = (unsigned)index;
	ends[index] = pair[1];
	return process;
}

static void add(struct retired_workers *workers, size_t index, long long now_ms)
{
	struct worker_process process = worker(index);

	retired_add(workers, &process, true, now_ms);
}

static void assert_told(size_t index, int order)
{
	assert_int_equal(orders_read(ends[index], NULL), order);
}

static void reap(struct retired_workers *workers)
{
	int status;
	pid_t child = waitpid(-1, &status, 0);

	assert_true(child > 0);
	assert_true(retired_has_ended(workers, child, status));
	assert_false(retired_has_ended(workers, child, status));
}

static void end_all(struct retired_workers *workers)
{
	size_t count = workers->count;

	retired_kill(workers);
	for (size_t i = 0; i < count; i++)
		reap(workers);
	assert_int_equal(workers->count, 0);
	assert_true(retired_due_ms(workers) == LLONG_MAX);
}

static void one_is_told_whose_the_socket_is(void **state)
{
	struct retired_workers workers = { .count = 0 };
	struct worker_process alone = worker(1);

	(void)state;
	add(&workers, 0, NOW_MS);
	retired_add(&workers, &alone, false, NOW_MS);
	assert_told(0, ORDER_RETIRE);
	assert_told(1, ORDER_RETIRE_ALONE);
	assert_true(retired_have_number(&workers, 1));
	assert_false(retired_have_number(&workers, 2));
	end_all(&workers);
	assert_false(retired_have_number(&workers, 1));
}

static void after_an_hour_it_has_to_stop_and_then_it_is_killed(void **state)
{
	struct retired_workers workers = { .count = 0 };

	(void)state;
	add(&workers, 0, NOW_MS);
	assert_told(0, ORDER_RETIRE);
	assert_true(retired_due_ms(&workers) == NOW_MS + RETIRED_MS);
	retired_work(&workers, NOW_MS + RETIRED_MS - 1);
	assert_told(0, ORDERS_SILENT);
	retired_work(&workers, NOW_MS + RETIRED_MS);
	assert_told(0, ORDER_STOP);
	retired_work(&workers, NOW_MS + RETIRED_MS + RETIRED_END_MS);
	reap(&workers);
	assert_int_equal(workers.count, 0);
}

static void there_are_not_many_at_a_time(void **state)
{
	struct retired_workers workers = { .count = 0 };

	(void)state;
	for (size_t i = 0; i < RETIRED_ROOM; i++) {
		assert_false(retired_are_full(&workers));
		add(&workers, i, NOW_MS);
		assert_told(i, ORDER_RETIRE);
		if (i >= RETIRED_MOST)
			assert_told(i - RETIRED_MOST, ORDER_STOP);
	}
	assert_true(retired_are_full(&workers));
	for (size_t i = RETIRED_MOST; i < RETIRED_ROOM; i++)
		assert_told(i, ORDERS_SILENT);
	retired_stop(&workers, NOW_MS);
	for (size_t i = RETIRED_MOST; i < RETIRED_ROOM; i++)
		assert_told(i, ORDER_STOP);
	assert_told(0, ORDERS_SILENT); /* not twice */
	end_all(&workers);
}

static int open_log(void **state)
{
	(void)state;
	log_open(LOG_SINK_STDERR, "test");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_told_whose_the_socket_is),
		cmocka_unit_test(after_an_hour_it_has_to_stop_and_then_it_is_killed),
		cmocka_unit_test(there_are_not_many_at_a_time),
	};

	return cmocka_run_group_tests(tests, open_log, NULL);
}
