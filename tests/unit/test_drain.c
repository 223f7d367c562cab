/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/drain.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

enum { LONG_MS = 60000 };

/* What has begun lasts for the process: so all of it is one test. */

static void *end_soon(void *context)
{
	const struct timespec moment = { .tv_nsec = 50000000 };

	(void)context;
	(void)nanosleep(&moment, NULL);
	assert_false(drain_begin_message());
	assert_true(drain_begin_answer()); /* the message that is open may end */
	drain_end_message();
	drain_end_answer();
	(void)nanosleep(&moment, NULL);
	drain_answered();
	drain_answered(); /* counts once */
	return NULL;
}

static void open_messages_are_waited_for_and_none_begins(void **state)
{
	pthread_t thread;

	(void)state;
	assert_false(drain_has_begun());
	assert_true(drain_begin_message());
	assert_int_equal(pthread_create(&thread, NULL, end_soon, NULL), 0);
	assert_true(drain(LONG_MS, 0));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(drain_has_begun());
	assert_false(drain_begin_message());
}

static void after_the_limit_there_is_no_answer(void **state)
{
	(void)state;
	assert_true(drain_begin_answer());
	assert_false(drain(0, 0));
	assert_false(drain_begin_answer());
	drain_end_answer();
	assert_false(drain(0, 0)); /* two are owed, and one is written */
	drain_answered();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_messages_are_waited_for_and_none_begins),
		cmocka_unit_test(after_the_limit_there_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
