/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process that listens tells, and that it ends with who hears it. */
#include "follow/scout.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

static struct scout scout;
static struct error err;

static int begin(void **state)
{
	(void)state;
	scout = SCOUT_NONE;
	return 0;
}

static int end(void **state)
{
	(void)state;
	scout_close(&scout);
	return 0;
}

static enum scout_word wait_for_word(const char **out_text)
{
	enum scout_word word;

	while ((word = scout_hear(&scout, out_text)) == SCOUT_NOTHING)
		(void)poll(&(struct pollfd){ .fd = scout.fd, .events = POLLIN }, 1, -1);
	return word;
}

static int tell_all(size_t index, int fd, const struct mirror *mirror, const void *context)
{
	char text[2000];

	(void)mirror;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)scout_tell(fd, SCOUT_BACK, NULL);
	(void)scout_tell(fd, SCOUT_LOST, context);
	(void)scout_tell(fd, SCOUT_DOUBT, text);
	(void)scout_tell(fd, index == 7 ? SCOUT_CONFIRMED : SCOUT_NOTHING, "");
	return EX_OK;
}

static void what_is_told_is_heard(void **state)
{
	const char *text;

	(void)state;
	assert_true(scout_start(&scout, tell_all, 7, NULL, "two\nlines\x7f", &err));
	assert_int_equal(wait_for_word(&text), SCOUT_BACK);
	assert_string_equal(text, "");
	assert_int_equal(wait_for_word(&text), SCOUT_LOST);
	assert_string_equal(text, "two lines ");
	assert_int_equal(wait_for_word(&text), SCOUT_DOUBT);
	assert_true(strlen(text) > 500 && strlen(text) < SCOUT_LINE_BYTES);
	assert_int_equal(wait_for_word(&text), SCOUT_CONFIRMED);
	while (!scout_has_ended(&scout))
		(void)poll(NULL, 0, 1);
	assert_int_equal(scout_hear(&scout, &text), SCOUT_NOTHING);
	assert_false(scout_has_ended(&scout));
}

static int tell_nonsense(size_t index, int fd, const struct mirror *mirror, const void *context)
{
	static const char nonsense[] = "\nback\nwhat is this\n";
	char text[3000];

	(void)index;
	(void)mirror;
	(void)context;
	memset(text, 'x', sizeof(text));
	(void)!write(fd, nonsense, sizeof(nonsense) - 1);
	(void)!write(fd, text, sizeof(text));
	(void)!write(fd, "\n", 1);
	return scout_tell(fd, SCOUT_CHANGED, NULL) ? EX_OK : EX_OSERR;
}

static void nonsense_is_passed_over(void **state)
{
	const char *text;

	(void)state;
	assert_true(scout_start(&scout, tell_nonsense, 0, NULL, NULL, &err));
	assert_int_equal(wait_for_word(&text), SCOUT_CHANGED);
}

static int stay(size_t index, int fd, const struct mirror *mirror, const void *context)
{
	sigset_t blocked;

	(void)index;
	(void)mirror;
	(void)context;
	/* No signal is blocked, nor handled. */
	(void)sigprocmask(SIG_BLOCK, NULL, &blocked);
	(void)scout_tell(fd, sigismember(&blocked, SIGTERM) == 0 ? SCOUT_BACK : SCOUT_LOST, NULL);
	while (pause() != 0)
		;
	return EX_OK;
}

static void one_that_stays_is_ended(void **state)
{
	sigset_t blocked, before;
	const char *text;
	pid_t pid;

	(void)state;
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
	assert_true(scout_start(&scout, stay, 0, NULL, NULL, &err));
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	assert_int_equal(wait_for_word(&text), SCOUT_BACK);
	pid = scout.pid;
	assert_false(scout_has_ended(&scout));
	scout_close(&scout);
	assert_int_equal(scout.pid, -1);
	assert_int_equal(kill(pid, 0), -1);
	scout_close(&scout);
}

static int tell_for_ever(size_t index, int fd, const struct mirror *mirror, const void *context)
{
	(void)index;
	(void)mirror;
	(void)context;
	while (scout_tell(fd, SCOUT_CHANGED, NULL))
		;
	return EX_UNAVAILABLE;
}

static void one_that_nobody_hears_ends(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_true(scout_start(&scout, tell_for_ever, 0, NULL, NULL, &err));
	assert_int_equal(close(scout.fd), 0);
	scout.fd = -1;
	while (!scout_has_ended(&scout))
		(void)poll(NULL, 0, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_told_is_heard),
		TEST(nonsense_is_passed_over),
		TEST(one_that_stays_is_ended),
		TEST(one_that_nobody_hears_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
