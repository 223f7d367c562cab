/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "milter/cork.h"
#include "service/log_limit.h"

/* Standard error is a pipe while a test runs. */
struct capture {
	int before;
	int reader;
	char text[1 << 17];
};

static int setup(void **state)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int ends[2];

	assert_non_null(capture);
	capture->before = dup(STDERR_FILENO);
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	assert_int_equal(close(ends[1]), 0);
	capture->reader = ends[0];
	assert_int_equal(fcntl(capture->reader, F_SETFL, O_NONBLOCK), 0);
	log_open(LOG_SINK_STDERR, "test");
	*state = capture;
	return 0;
}

static int teardown(void **state)
{
	struct capture *capture = *state;

	assert_true(dup2(capture->before, STDERR_FILENO) >= 0);
	assert_int_equal(close(capture->before), 0);
	assert_int_equal(close(capture->reader), 0);
	free(capture);
	return 0;
}

/* What was logged since the last time, without `test[123]: `. */
static const char *logged(struct capture *capture)
{
	char head[32];
	char *at = capture->text;
	char *found;
	ssize_t size = read(capture->reader, capture->text, sizeof(capture->text) - 1);

	capture->text[size > 0 ? size : 0] = '\0';
	(void)snprintf(head, sizeof(head), "test[%ld]: ", (long)getpid());
	while ((found = strstr(at, head)) != NULL) {
		memmove(found, found + strlen(head), strlen(found + strlen(head)) + 1);
		at = found;
	}
	return capture->text;
}

static void severities_have_the_words_of_postfix(void **state)
{
	log_line(SEVERITY_INFO, "one %d", 1);
	log_line(SEVERITY_WARNING, "two");
	log_line(SEVERITY_ERROR, "three");
	log_line(SEVERITY_FATAL, "four");
	log_line(SEVERITY_PANIC, "five");
	log_line(SEVERITY_DEBUG, "six");
	assert_string_equal(logged(*state),
			    "one 1\nwarning: two\nerror: three\nfatal: four\npanic: five\n");
}

static void a_line_stays_a_line(void **state)
{
	log_line(SEVERITY_INFO, "a\nb\x1b[0m\x7f\n\n");
	assert_string_equal(logged(*state), "a?b?[0m?\n");
}

static void long_lines_are_cut(void **state)
{
	static char text[3 * LOG_LINE_MAX];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	log_line(SEVERITY_INFO, "%s", text);
	line = logged(*state);
	assert_int_equal(strlen(line), LOG_LINE_MAX);
	assert_string_equal(line + LOG_LINE_MAX - 2, "x\n");
}

static void a_batch_is_all_its_lines_in_order(void **state)
{
	static char longest[LOG_LINE_MAX + 10];
	struct log_batch batch;
	char expected[1 << 15] = "";

	log_batch_begin(&batch);
	for (int i = 0; i < 300; i++) {
		enum log_severity severity = i % 3 == 0 ? SEVERITY_WARNING : SEVERITY_INFO;
		char line[64];

		(void)snprintf(line, sizeof(line), "line %d\tof a batch\n\n", i);
		log_batch_add(&batch, severity, bytes_of(line), NULL, 0);
		(void)sprintf(expected + strlen(expected), "%sline %d?of a batch\n",
			      severity == SEVERITY_WARNING ? "warning: " : "", i);
	}
	memset(longest, 'x', sizeof(longest));
	log_batch_add(&batch, SEVERITY_INFO, bytes_make(longest, sizeof(longest)), NULL, 0);
	(void)sprintf(expected + strlen(expected), "%.*s\n", LOG_LINE_MAX - 1, longest);
	log_batch_add(&batch, SEVERITY_INFO, bytes_make(NULL, 0), NULL, 0);
	strcat(expected, "\n");
	/* Each byte at each place of a word. */
	for (int byte = 1; byte < 256; byte++) {
		char line[32];

		(void)snprintf(line, sizeof(line), "%.*sx%cx1234567", byte % 9, "abcdefghi", byte);
		log_batch_add(&batch, SEVERITY_INFO, bytes_of(line), NULL, 0);
		(void)sprintf(expected + strlen(expected), "%.*sx%cx1234567\n", byte % 9,
			      "abcdefghi", byte < 32 || byte == 127 ? '?' : byte);
	}
	log_batch_send(&batch);
	log_batch_send(&batch);
	assert_string_equal(logged(*state), expected);
}

/* Nor while the edits of a message wait: then poll() answers for the milter's connection. */
static void nobody_waits_for_a_reader_beside_a_cork(void **state)
{
	(void)state;
	cork_begin();
	cork_end();
	for (int i = 0; i < 100000; i++)
		log_line(SEVERITY_INFO, "a line that nobody reads");
	cork_drop();
}

static void nobody_waits_for_a_reader(void **state)
{
	uint64_t before = log_dropped();
	char expected[64];
	unsigned long long dropped;
	const char *text;

	for (int i = 0; i < 100000; i++)
		log_line(SEVERITY_INFO, "a line that nobody reads");
	dropped = log_dropped() - before;
	assert_true(dropped > 0 && dropped < 100000);
	text = logged(*state);
	assert_memory_equal(text, "a line that nobody reads\n", 25);
	(void)snprintf(expected, sizeof(expected), "warning: %llu log lines dropped\nnow\n",
		       dropped);
	log_line(SEVERITY_INFO, "now");
	assert_string_equal(logged(*state), expected);
}

static void trouble_that_repeats_is_counted(void **state)
{
	const char *text;
	unsigned long long left_out;
	char expected[128];
	int written = 0;

	for (int i = 0; i < 1000; i++)
		log_line(i % 2 == 0 ? SEVERITY_WARNING : SEVERITY_ERROR, "trouble %d", i);
	log_line(SEVERITY_WARNING, "another");
	left_out = log_left_out();
	text = logged(*state);
	for (const char *at = text; (at = strstr(at, ": trouble ")) != NULL; at++)
		written++;
	/* More than once the number allowed where this took longer than it is allowed in. */
	assert_true(written >= LOG_LIMIT_LINES && left_out > 0);
	assert_int_equal((unsigned long long)written + left_out, 1000);
	assert_non_null(strstr(text, "\nwarning: another\n"));
	log_tell_left_out(true);
	(void)snprintf(expected, sizeof(expected),
		       "%llu lines like this in 10 s were not written: trouble 10\n", left_out);
	assert_non_null(strstr(logged(*state), expected));
	log_tell_left_out(true);
	assert_string_equal(logged(*state), "");
}

static void records_and_news_are_all_written(void **state)
{
	uint64_t before = log_left_out();

	for (int i = 0; i < 100; i++) {
		log_record(SEVERITY_WARNING, bytes_of("NOQUEUE: deferred: 451"), NULL, 0);
		log_line(SEVERITY_INFO, "loaded");
		assert_string_equal(logged(*state), "warning: NOQUEUE: deferred: 451\nloaded\n");
	}
	assert_int_equal(log_left_out(), before);
}

__attribute__((format(printf, 2, 3))) static void foreign(enum log_severity severity,
							  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_foreign_line(severity, format, arguments);
	va_end(arguments);
}

static void a_library_is_limited_whatever_it_says(void **state)
{
	uint64_t before = log_left_out();

	for (int i = 0; i < 100; i++)
		foreign(SEVERITY_INFO, "%s[%d] is closed", "peer", i);
	assert_true(log_left_out() > before);
	assert_non_null(strstr(logged(*state), "peer[0] is closed\npeer[1] is closed\n"));
	log_tell_left_out(true);
	assert_non_null(strstr(logged(*state), "were not written: peer["));
}

/* Else each child would tell the count of its parent, too. */
static void a_child_counts_anew(void **state)
{
	for (int i = 0; i < 100; i++)
		log_line(SEVERITY_WARNING, "of the parent %d", i);
	assert_true(strlen(logged(*state)) > 0);
	log_forked();
	log_tell_left_out(true);
	assert_string_equal(logged(*state), "");
}

/* Several processes have one pipe: what one saw of its room another may have taken. */
static void a_pipe_that_others_have_too_keeps_nobody(void **state)
{
	enum { LINES = 2000, PROCESSES = 3 };
	int others = dup(STDERR_FILENO);
	int status;

	(void)state; /* nobody reads meanwhile */
	assert_int_equal(fcntl(others, F_SETFL, 0), 0);
	log_open(LOG_SINK_STDERR, "test");
	assert_int_not_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(others, F_GETFL) & O_NONBLOCK, 0);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			(void)alarm(60); /* else it would never end */
			for (int line = 0; line < LINES; line++)
				log_line(SEVERITY_INFO, "%d", line);
			_exit(0);
		}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(close(others), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(severities_have_the_words_of_postfix),
		TEST(a_line_stays_a_line),
		TEST(long_lines_are_cut),
		TEST(a_batch_is_all_its_lines_in_order),
		TEST(nobody_waits_for_a_reader),
		TEST(nobody_waits_for_a_reader_beside_a_cork),
		TEST(trouble_that_repeats_is_counted),
		TEST(records_and_news_are_all_written),
		TEST(a_library_is_limited_whatever_it_says),
		TEST(a_child_counts_anew),
		TEST(a_pipe_that_others_have_too_keeps_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
