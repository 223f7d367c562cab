/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock goes on as it likes: what counts is when it began. */
#include "compile/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct progress progress;
static FILE *stream;
static char *text;
static size_t size;

static int begin(void **state)
{
	(void)state;
	stream = open_memstream(&text, &size);
	progress_init(&progress, stream);
	return stream == NULL;
}

static int end(void **state)
{
	(void)state;
	(void)fclose(stream);
	free(text);
	return 0;
}

static const char *shown(void)
{
	assert_int_equal(fflush(stream), 0);
	return text;
}

static void a_short_one_is_silent(void **state)
{
	(void)state;
	/* Not begun yet, however slow this machine is. */
	progress.began_seconds += 1000;
	progress_show(&progress);
	progress_phase(&progress, "sorting");
	for (int i = 0; i < 2 * PROGRESS_ROWS; i++)
		progress_step(&progress);
	progress_end(&progress);
	assert_string_equal(shown(), "");
	assert_int_equal(progress.rows, 2 * PROGRESS_ROWS);
}

static void a_long_one_is_shown_and_wiped_out(void **state)
{
	(void)state;
	progress.began_seconds -= 1000;
	for (int i = 0; i < PROGRESS_ROWS - 1; i++)
		progress_step(&progress);
	assert_string_equal(shown(), "");
	progress_step(&progress);
	assert_string_equal(shown(), "\r262144 entries, reading     ");
	progress_phase(&progress, "proving");
	assert_non_null(strstr(shown(), "\r262144 entries, proving     "));
	progress_end(&progress);
	/* Blanks over all of it, and back to the begin of the line. */
	assert_non_null(strstr(shown(), "\r                                        \r"));
}

static void where_there_is_no_terminal_nothing_is_shown(void **state)
{
	(void)state;
	progress_init(&progress, NULL);
	progress.began_seconds -= 1000;
	progress_show(&progress);
	progress_phase(&progress, "proving");
	progress_end(&progress);
	assert_false(progress.is_shown);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_short_one_is_silent),
		TEST(a_long_one_is_shown_and_wiped_out),
		TEST(where_there_is_no_terminal_nothing_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
