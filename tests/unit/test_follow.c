/* SPDX-License-Identifier: BSD-2-Clause */
/* What changes at a bad moment. */
#include "follow/follow.h"

#include <fcntl.h>
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

#include "follow/scout.h"
#include "scratch.h"

enum { TRIES = 2000, TRY_US = 10000, TEXT_BYTES = 4000 };

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

static void configure(const char *words)
{
	char text[3 * PATH_MAX];

	(void)snprintf(text, sizeof(text), "%sruntime_directory = \"%s\";\ntable = \"%s\";\n",
		       words, scratch_path("run"), scratch_path("lib/table"));
	scratch_put("conf", text);
	(void)snprintf(configuration, sizeof(configuration), "%s", scratch_path("conf"));
	assert_int_equal(mkdir(scratch_path("run"), 0755), 0);
	assert_int_equal(mkdir(scratch_path("lib"), 0755), 0);
}

/* Until there were WANTED compilations; what it says is in the file `said`. */
static bool follow_until(const struct follow_options *options, off_t wanted)
{
	int status;
	pid_t watcher;
	bool has_come;

	watcher = fork();
	if (watcher == 0) {
		if (freopen(scratch_path("said"), "a", stderr) == NULL)
			_exit(EX_IOERR);
		(void)setvbuf(stderr, NULL, _IONBF, 0); /* or it is lost at the end */
		_exit(follow_run(options));
	}
	assert_true(watcher > 0);
	has_come = waits_for(wanted);
	assert_int_equal(kill(watcher, SIGTERM), 0);
	assert_int_equal(waitpid(watcher, &status, 0), watcher);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EX_OK);
	return has_come;
}

static void what_changes_behind_the_reading_is_news(void **state)
{
	const struct follow_options options = {
		.load = load,
		.compile = compile,
		.compile_anew = compile,
		.configuration = configuration,
	};

	(void)state;
	configure("sources = ();\n");
	assert_true(follow_until(&options, 2));
}

/* ---- a database that is away ---------------------------------------------------------------- */

static struct settings *load_again(void *context, struct error *err)
{
	(void)context;
	return settings_load(configuration, NULL, NULL, err);
}

static int compile_in_vain(const struct attempt_help *help, void *context)
{
	(void)compile(help, context);
	(void)fputs("rcptmap: sqlite:main alias: nobody is there\n", stderr);
	return EX_UNAVAILABLE;
}

static int miss_it(size_t index, int fd, const struct mirror *mirror, const void *context)
{
	(void)mirror;
	(void)index;
	(void)context;
	(void)scout_tell(fd, SCOUT_LOST, "nobody is there");
	while (pause() != 0)
		;
	return EX_OK;
}

static void name(const struct settings_source *source, char *out_name, size_t size)
{
	(void)snprintf(out_name, size, "%s:main", source->type);
}

static void schema(const struct settings_source *source, char *out_path, size_t size)
{
	(void)source;
	(void)size;
	out_path[0] = '\0';
}

static bool has_said(const char *text)
{
	char said[TEXT_BYTES] = "";
	int fd = open(scratch_path("said"), O_RDONLY);

	assert_true(read(fd, said, sizeof(said) - 1) >= 0);
	(void)close(fd);
	return strstr(said, text) != NULL;
}

/* It may be there for who reads, and others are; that it isn't is said once. */
static void what_is_away_is_read_by_the_clock(void **state)
{
	const struct follow_options options = {
		.load = load_again,
		.compile = compile,
		.compile_anew = compile_in_vain,
		.listen = miss_it,
		.name = name,
		.schema = schema,
		.configuration = configuration,
	};

	(void)state;
	configure("sources = ({ type = \"sqlite\"; connection = \"/nowhere\"; "
		  "alias_query = \"SELECT a, b FROM c\"; });\nfollow_seconds = 1;\n");
	assert_true(follow_until(&options, 4));
	assert_true(has_said("sqlite:main is away: nobody is there"));
	assert_false(has_said("not published"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_changes_behind_the_reading_is_news),
		SCRATCH_TEST(what_is_away_is_read_by_the_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
