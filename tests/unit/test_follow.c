/* SPDX-License-Identifier: BSD-2-Clause */
/* What changes at a bad moment. */
#include "follow/follow.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

enum { TRIES = 2000, TRY_US = 10000 };

static unsigned loads;
static char configuration[PATH_MAX];

/* The second is that of the first compilation: just behind it somebody writes the file. */
static struct settings *load(void *context, struct error *err)
{
	struct settings *settings = settings_load(configuration, NULL, NULL, err);
	FILE *stream;

	(void)context;
	if (++loads != 2)
		return settings;
	stream = fopen(configuration, "a");
	assert_non_null(stream);
	(void)fputs("# changed\n", stream);
	assert_int_equal(fclose(stream), 0);
	return settings;
}

static int compile(const struct attempt_help *help, void *context)
{
	FILE *stream = fopen(scratch_path("compiled"), "a");

	(void)help;
	(void)context;
	if (stream == NULL || fputc('x', stream) == EOF || fclose(stream) != 0)
		return EX_IOERR;
	return EX_OK;
}

/* WANTED compilations, in the end. */
static bool waits_for(off_t wanted)
{
	struct stat status;

	for (int i = 0; i < TRIES; i++) {
		if (stat(scratch_path("compiled"), &status) == 0 && status.st_size >= wanted)
			return true;
		(void)usleep(TRY_US);
	}
	return false;
}

static void what_changes_behind_the_reading_is_news(void **state)
{
	const struct follow_options options = {
		.load = load,
		.compile = compile,
		.compile_anew = compile,
		.configuration = configuration,
	};
	char text[2 * PATH_MAX];
	int status;
	pid_t watcher;
	bool has_come;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "sources = ();\nruntime_directory = \"%s\";\ntable = \"%s\";\n",
		       scratch_path("run"), scratch_path("lib/table"));
	scratch_put("conf", text);
	(void)snprintf(configuration, sizeof(configuration), "%s", scratch_path("conf"));
	assert_int_equal(mkdir(scratch_path("run"), 0755), 0);
	assert_int_equal(mkdir(scratch_path("lib"), 0755), 0);
	watcher = fork();
	if (watcher == 0)
		_exit(follow_run(&options));
	assert_true(watcher > 0);
	has_come = waits_for(2);
	assert_int_equal(kill(watcher, SIGTERM), 0);
	assert_int_equal(waitpid(watcher, &status, 0), watcher);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EX_OK);
	assert_true(has_come);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_changes_behind_the_reading_is_news,
						scratch_begin, scratch_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
