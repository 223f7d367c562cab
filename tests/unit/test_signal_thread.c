/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/signal_thread.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

static void *come(void *context)
{
	(void)context;
	signal_thread_comes();
	return NULL;
}

/* One test, since it can come once only in the life of a process. */
static void who_waits_is_told_whether_it_came(void **state)
{
	struct error err = { .status = EX_OK };
	pthread_t thread;

	(void)state;
	assert_false(signal_thread_wait(&err));
	assert_int_equal(err.status, EX_SOFTWARE);
	assert_non_null(strstr(err.text, "sigwait()"));
	assert_false(signal_thread_wait(NULL));
	assert_int_equal(pthread_create(&thread, NULL, come, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(signal_thread_wait(&err));
	assert_true(signal_thread_wait(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_is_told_whether_it_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
