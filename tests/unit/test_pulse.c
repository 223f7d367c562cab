/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "message/counters.h"

static void a_beat_of_another_process_is_heard(void **state)
{
	uint64_t before;
	pid_t child;

	(void)state;
	counters_share();
	pulse_use(0);
	before = pulse_count();
	child = fork();
	if (child == 0) {
		pulse_beat();
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(pulse_count(), before + 1);
}

static void each_worker_has_its_own(void **state)
{
	uint64_t before;
	pid_t child;

	(void)state;
	counters_share();
	pulse_use(1);
	before = pulse_count();
	child = fork();
	if (child == 0) {
		pulse_use(2);
		pulse_beat();
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(pulse_count(), before);
	pulse_use(2);
	assert_int_equal(pulse_count(), before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_beat_of_another_process_is_heard),
		cmocka_unit_test(each_worker_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
