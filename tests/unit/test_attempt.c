/* SPDX-License-Identifier: BSD-2-Clause */
/* What a compilation in a process of its own has left, and whether it is worth while to try again.
 */
#include "follow/attempt.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

static struct attempt attempt;
static struct buffer messages;
static struct error err;

static int begin(void **state)
{
	(void)state;
	attempt = ATTEMPT_NONE;
	buffer_init(&messages, 1 << 16);
	return 0;
}

static int end(void **state)
{
	(void)state;
	attempt_close(&attempt);
	buffer_free(&messages);
	return 0;
}

static int read_two(const struct attempt_help *help, void *context)
{
	struct stat status;

	(void)stat("/", &status);
	help->on_file("/", &status, help->file_context);
	help->on_file("/a  file", &status, help->file_context);
	(void)puts(context);
	(void)fflush(stdout);
	(void)fputs("and more\n", stderr);
	return EX_DATAERR;
}

static int die(const struct attempt_help *help, void *context)
{
	(void)help;
	(void)context;
	(void)raise(SIGKILL);
	return EX_OK;
}

static int wait_for_its_end(void)
{
	int status;

	while (!attempt_ended(&attempt, &status, &messages))
		(void)poll(NULL, 0, 1);
	return status;
}

static void what_it_says_and_reads_is_there_when_it_has_ended(void **state)
{
	static char text[] = "said";
	struct file_identity identity, root;
	uint64_t position = 0;
	char path[PATH_MAX];

	(void)state;
	assert_true(attempt_start(&attempt, read_two, NULL, text, &err));
	assert_int_equal(wait_for_its_end(), EX_DATAERR);
	assert_true(bytes_equal(buffer_bytes(&messages), bytes_of("said\nand more\n")));
	assert_true(file_identity_get("/", &root));
	assert_true(attempt_next_file(&attempt, &position, path, sizeof(path), &identity));
	assert_string_equal(path, "/");
	assert_true(file_identity_equal(&identity, &root));
	assert_true(attempt_next_file(&attempt, &position, path, sizeof(path), &identity));
	assert_string_equal(path, "/a  file");
	assert_false(attempt_next_file(&attempt, &position, path, sizeof(path), &identity));
}

static void one_that_a_signal_ends_has_failed(void **state)
{
	(void)state;
	assert_true(attempt_start(&attempt, die, NULL, NULL, &err));
	assert_int_equal(wait_for_its_end(), EX_OSERR);
	assert_true(bytes_equal(buffer_bytes(&messages),
				bytes_of("rcptmap: the compilation was killed by signal 9\n")));
}

static int never_end(const struct attempt_help *help, void *context)
{
	(void)help;
	(void)context;
	while (pause() != 0)
		continue; /* it only says that a signal came */
	return EX_OK;
}

static void one_that_is_under_way_ends_with_who_closes_it(void **state)
{
	pid_t pid;

	(void)state;
	assert_true(attempt_start(&attempt, never_end, NULL, NULL, &err));
	pid = attempt.pid;
	(void)alarm(60); /* where it isn't told to end nobody else would */
	attempt_close(&attempt);
	(void)alarm(0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(attempt.pid, -1);
}

static void only_what_no_source_can_help_is_tried_again(void **state)
{
	static const int may[] = { EX_OSERR,    EX_IOERR,  EX_CANTCREAT,
				   EX_TEMPFAIL, EX_NOPERM, EX_NOINPUT };
	static const int never[] = { EX_DATAERR, EX_CONFIG, EX_USAGE };

	(void)state;
	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++)
		assert_true(attempt_may_mend_itself(may[i]));
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_false(attempt_may_mend_itself(never[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_it_says_and_reads_is_there_when_it_has_ended,
						begin, end),
		cmocka_unit_test_setup_teardown(one_that_a_signal_ends_has_failed, begin, end),
		cmocka_unit_test_setup_teardown(one_that_is_under_way_ends_with_who_closes_it,
						begin, end),
		cmocka_unit_test(only_what_no_source_can_help_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
