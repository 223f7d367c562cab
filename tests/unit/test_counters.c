/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* In a process of its own, which then dies. */
static void begin_sessions(unsigned worker, int sessions, uint64_t most, bool is_well)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		bool was_well = true;

		counters_be_worker(worker);
		for (int i = 0; i < sessions; i++)
			was_well = counters_begin_session(most) && was_well;
		_exit(was_well == is_well ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void sessions_are_those_of_all_workers(void **state)
{
	(void)state;
	counters_share();
	begin_sessions(1, 3, 10, true);
	begin_sessions(2, 4, 10, true);
	assert_int_equal(counter_get(COUNTER_SESSIONS), 7);
	begin_sessions(3, 4, 10, false); /* one too many */
	assert_int_equal(counter_get(COUNTER_SESSIONS), 10);
	counters_forget_worker(2);
	assert_int_equal(counter_get(COUNTER_SESSIONS), 6);
	begin_sessions(3, 1, 10, true); /* whose namesake is dead */
	assert_int_equal(counter_get(COUNTER_SESSIONS), 4);
}

static void a_session_that_ends_makes_room(void **state)
{
	(void)state;
	counters_share();
	assert_true(counters_begin_session(1));
	assert_false(counters_begin_session(1));
	counters_end_session();
	assert_true(counters_begin_session(1));
	counters_end_session();
	assert_int_equal(counter_get(COUNTER_SESSIONS), 0);
}

static void another_program_goes_on_with_them(void **state)
{
	int fd;

	(void)state;
	counters_share();
	counter_set(COUNTER_LOADS_OK, 42);
	fd = dup(counters_descriptor());
	assert_true(fd >= 0);
	counters_share();
	assert_int_equal(counter_get(COUNTER_LOADS_OK), 0);
	assert_true(counters_adopt(fd));
	assert_int_equal(counter_get(COUNTER_LOADS_OK), 42);
}

static void what_counts_other_things_is_left(void **state)
{
	const uint64_t other = 0;
	int fd;

	(void)state;
	counters_share();
	fd = counters_descriptor();
	/* Its head says which ones there are. */
	assert_int_equal(pwrite(fd, &other, sizeof(other), 0), (ssize_t)sizeof(other));
	assert_false(counters_adopt(fd));
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_false(counters_adopt(fd));
	assert_false(counters_adopt(-1));
}

static void texts_are_each_its_own(void **state)
{
	char text[COUNTERS_TEXT_MAX];
	char longer[COUNTERS_TEXT_MAX + 10];

	(void)state;
	counters_share();
	counters_get_text(COUNTERS_TEXT_REEXEC, text);
	assert_string_equal(text, "");
	for (int i = 0; i < 20; i++)
		counters_set_text(COUNTERS_TEXT_REEXEC, i % 2 == 0 ? "log" : "log, socket");
	counters_failure("why", 5);
	counters_get_text(COUNTERS_TEXT_REEXEC, text);
	assert_string_equal(text, "log, socket");
	counters_get_text(COUNTERS_TEXT_RESTART, text);
	assert_string_equal(text, "");
	counters_get_text(COUNTERS_TEXT_FAILURE, text);
	assert_string_equal(text, "why");
	assert_int_equal(counter_get(COUNTER_LAST_FAILURE), 5);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	counters_set_text(COUNTERS_TEXT_REEXEC, longer);
	counters_get_text(COUNTERS_TEXT_REEXEC, text);
	assert_int_equal(strlen(text), COUNTERS_TEXT_MAX - 1);
	counters_set_text(COUNTERS_TEXT_REEXEC, "");
	counters_get_text(COUNTERS_TEXT_REEXEC, text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_those_of_all_workers),
		cmocka_unit_test(a_session_that_ends_makes_room),
		cmocka_unit_test(another_program_goes_on_with_them),
		cmocka_unit_test(what_counts_other_things_is_left),
		cmocka_unit_test(texts_are_each_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
