/* SPDX-License-Identifier: BSD-2-Clause */
/* Who can't be listened to is tried again, and nothing is said of it unless it helps. */
#include "follow/listeners.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "scratch.h"

enum {
	HOUR_MS = 3600000,
	QUARTER_MS = HOUR_MS / 4,
	TRIES = 2000,
	TRY_US = 10000,
	TEXT_BYTES = 2000
};

static struct listeners listeners;
static struct settings *settings;
static int stderr_before;

/* Tells what is in the file `words`: a letter each, behind `p` or `e` it ends. */
static int listen_as_told(size_t index, int fd, const struct mirror *mirror, const void *context)
{
	int words = open(scratch_path("words"), O_RDONLY);
	int begun = open(scratch_path("begun"), O_WRONLY | O_APPEND | O_CREAT, 0600);
	char word;

	(void)index;
	(void)mirror;
	(void)context;
	if (write(begun, "x", 1) != 1)
		return EX_IOERR;
	while (read(words, &word, 1) == 1) {
		if (word == 'p')
			(void)scout_tell(fd, SCOUT_POLLED, "nothing tells of changes");
		if (word == 'd')
			(void)scout_tell(fd, SCOUT_DOUBT, "late");
		if (word == 'l')
			(void)scout_tell(fd, SCOUT_LOST, "nobody is there");
		if (word == 'b')
			(void)scout_tell(fd, SCOUT_BACK, NULL);
		if (word == 'p' || word == 'e')
			return EX_OK;
	}
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

static int begin(void **state)
{
	struct error err;
	int said;

	if (scratch_begin(state) != 0)
		return -1;
	scratch_put("conf", "sources = ({ type = \"sqlite\"; connection = \"/nowhere\"; "
			    "alias_query = \"SELECT a, b FROM c\"; });\n");
	settings = settings_load(scratch_path("conf"), NULL, NULL, &err);
	said = open(scratch_path("said"), O_RDWR | O_APPEND | O_CREAT, 0600);
	stderr_before = dup(STDERR_FILENO);
	if (settings == NULL || dup2(said, STDERR_FILENO) < 0)
		return -1;
	listeners = (struct listeners){
		.retry_ms = HOUR_MS, .listen = listen_as_told, .name = name, .schema = schema
	};
	return close(said);
}

static int end(void **state)
{
	listeners_close(&listeners);
	settings_free(settings);
	if (dup2(stderr_before, STDERR_FILENO) < 0 || close(stderr_before) != 0)
		return -1;
	return scratch_end(state);
}

static off_t size_of(const char *file)
{
	struct stat status;

	return stat(scratch_path(file), &status) == 0 ? status.st_size : 0;
}

static bool was_said(const char *text)
{
	char said[TEXT_BYTES] = "";
	int fd = open(scratch_path("said"), O_RDONLY);

	assert_true(read(fd, said, sizeof(said) - 1) >= 0);
	(void)close(fd);
	return strstr(said, text) != NULL;
}

static struct followed *one(void)
{
	assert_int_equal(listeners.count, 1);
	return &listeners.items[0];
}

static void start(const char *words)
{
	scratch_put("words", words);
	listeners_set(&listeners, settings);
}

/* All that comes, until the only one is polled, if IS_POLLED, and nobody tries, if IS_QUIET. */
static unsigned hear_until(bool is_polled, bool is_quiet)
{
	unsigned news = 0;

	for (int i = 0; i < TRIES; i++) {
		news |= listeners_hear(&listeners, settings, false);
		if (one()->is_polled == is_polled && !one()->is_starting &&
		    (one()->scout.pid < 0) == is_quiet)
			return news;
		(void)usleep(TRY_US);
	}
	fail_msg("%s", "it never came to it");
	return news;
}

/* WANTED have begun since the start, and the last is over. */
static void hear_tries(off_t wanted)
{
	for (int i = 0; i < TRIES && size_of("begun") < wanted; i++) {
		(void)listeners_hear(&listeners, settings, false);
		(void)usleep(TRY_US);
	}
	assert_true(size_of("begun") >= wanted);
	listeners.retry_ms = HOUR_MS;
	(void)hear_until(true, true);
}

static bool is_up(void)
{
	struct follow_state told;

	listeners_state(&listeners, true, &told);
	return told.sources[0].is_up;
}

static void one_that_is_polled_is_tried_in_an_hour(void **state)
{
	int64_t now = clock_milliseconds();

	(void)state;
	start("p");
	assert_false((hear_until(true, true) & LISTENERS_CHANGED) != 0);
	assert_true(was_said("sqlite:main: warning: nothing tells of changes\n"));
	assert_true(one()->again_ms >= now + HOUR_MS - QUARTER_MS);
	assert_true(one()->again_ms <= clock_milliseconds() + HOUR_MS + QUARTER_MS);
	assert_int_equal(size_of("begun"), 1);
	assert_true(is_up());
}

static void one_that_can_be_listened_to_now(void **state)
{
	off_t size;

	(void)state;
	start("p");
	(void)hear_until(true, true);
	listeners_took(&listeners, 1, false);
	scratch_put("words", "b");
	size = size_of("said");
	listeners.retry_ms = 1;
	one()->again_ms = clock_milliseconds();
	/* What was changed since it was read last isn't known. */
	assert_true((hear_until(false, false) & LISTENERS_CHANGED) != 0);
	assert_true(was_said("sqlite:main: its changes are told from now on\n"));
	assert_true(size_of("said") > size);
	assert_true(is_up());
	size = size_of("said");
	assert_int_equal(listeners_hear(&listeners, settings, false), LISTENERS_NOTHING);
	assert_int_equal(size_of("said"), size);
}

static void one_that_can_be_listened_to_with_doubts(void **state)
{
	(void)state;
	start("p");
	(void)hear_until(true, true);
	scratch_put("words", "db");
	listeners_retry(&listeners);
	(void)hear_until(false, false);
	assert_true(was_said("sqlite:main: its changes are told from now on\n"));
	assert_true(was_said("sqlite:main: warning: late\n"));
}

static void tries_that_change_nothing(void **state)
{
	static const char *const words[] = { "l", "dl", "de", "e", "dp" };

	(void)state;
	start("dp");
	(void)hear_until(true, true);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		off_t begun = size_of("begun"), size = size_of("said");

		scratch_put("words", words[i]);
		listeners.retry_ms = 1;
		listeners_retry(&listeners);
		hear_tries(begun + 2);
		assert_true(one()->is_polled);
		assert_int_equal(one()->told.away_since, 0);
		assert_true(is_up());
		assert_int_equal(size_of("said"), size);
	}
	assert_false(was_said("away"));
	assert_false(was_said("from now on"));
}

static void who_has_listened_before_is_read(void **state)
{
	(void)state;
	start("lp");
	assert_true((hear_until(true, true) & LISTENERS_CHANGED) != 0);
	assert_true(was_said("is away: nobody is there"));
	assert_true(was_said("is back after"));
}

static void what_is_doubted_no_more_is_said(void **state)
{
	(void)state;
	start("dbb");
	(void)hear_until(false, false);
	for (int i = 0; i < TRIES && !was_said("from now on"); i++) {
		(void)listeners_hear(&listeners, settings, false);
		(void)usleep(TRY_US);
	}
	assert_true(was_said("sqlite:main: its changes are told from now on\n"));
}

static void whose_failure_it_is(void **state)
{
	(void)state;
	start("l");
	(void)hear_until(false, false);
	assert_true(listeners_miss_one(&listeners, "rcptmap: sqlite:main alias: no such file"));
	assert_true(listeners_miss_one(&listeners, "rcptmap: sqlite:main: no such file"));
	assert_false(listeners_miss_one(&listeners, "rcptmap: sqlite:main2 alias: no such file"));
	assert_false(listeners_miss_one(&listeners, "rcptmap: other alias: no such file"));
	assert_false(listeners_miss_one(&listeners, ""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_is_polled_is_tried_in_an_hour),
		TEST(one_that_can_be_listened_to_now),
		TEST(one_that_can_be_listened_to_with_doubts),
		TEST(tries_that_change_nothing),
		TEST(who_has_listened_before_is_read),
		TEST(what_is_doubted_no_more_is_said),
		TEST(whose_failure_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
