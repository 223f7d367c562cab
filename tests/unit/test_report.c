/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/report.h"

#include <sysexits.h>

#include "reported.h"

enum { THREADS = 4, EACH = 2000, PRINTED = 100 };

static struct reported reported;
static struct report *report;

static int begin(void **state)
{
	(void)state;
	reported_begin(&reported);
	report = &reported.report;
	return 0;
}

static int end(void **state)
{
	(void)state;
	reported_end(&reported);
	return 0;
}

static void a_message_names_its_place(void **state)
{
	(void)state;
	report_error(report, EX_DATAERR, "/a", 12, "%s: %d", "wrong", 3);
	assert_reported(&reported, "/a:12: wrong: 3\n");
	report_error(report, EX_DATAERR, "/a", 0, "no line");
	assert_reported(&reported, "/a: no line\n");
	report_error(report, EX_DATAERR, NULL, 12, "no file");
	assert_reported(&reported, "rcptmap: no file\n");
	report_warning(report, WARNING_POSTMASTER, "/a", UINT32_MAX, "odd");
	assert_reported(&reported, "/a:4294967295: warning: odd [postmaster]\n");
	assert_int_equal(report->errors, 3);
	assert_int_equal(report->warnings, 1);
	report_end(report);
	assert_reported(&reported, "");
}

static void the_first_error_makes_the_status(void **state)
{
	(void)state;
	assert_int_equal(report->status, 0);
	report_warning(report, WARNING_POSTMASTER, NULL, 0, "x");
	assert_int_equal(report->status, 0);
	report_error(report, EX_TEMPFAIL, NULL, 0, "x");
	report_error(report, EX_OSERR, NULL, 0, "x");
	assert_int_equal(report->status, EX_TEMPFAIL);
}

static void what_is_forgiven_counts_no_more(void **state)
{
	(void)state;
	report_error(report, EX_TEMPFAIL, NULL, 0, "x");
	report_warning(report, WARNING_POSTMASTER, NULL, 0, "x");
	report_forgive(report);
	assert_int_equal(report->errors, 0);
	assert_int_equal(report->warnings, 1);
	assert_int_equal(report->status, 0);
	report_error(report, EX_DATAERR, NULL, 0, "x");
	assert_int_equal(report->status, EX_DATAERR);
}

/* Only what is about one line, and can be passed over. */
static void a_lenient_report_passes_over_bad_lines(void **state)
{
	(void)state;
	report->is_lenient = true;
	report_error(report, EX_DATAERR, "/a", 1, "bad");
	assert_reported(&reported, "/a:1: warning: bad (passed over) [lenient]\n");
	assert_int_equal(report->errors, 0);
	assert_int_equal(report->warnings, 1);
	assert_int_equal(report->status, 0);
	report_error(report, EX_DATAERR, "/a", 0, "empty");
	report_error(report, EX_OSERR, "/a", 1, "no memory");
	report_stop(report, EX_DATAERR, "/a", 2, "too long");
	assert_reported(&reported, "/a: empty\n/a:1: no memory\n/a:2: too long\n");
	assert_int_equal(report->errors, 3);
	assert_int_equal(report->status, EX_DATAERR);
}

static void what_is_optional_is_no_error(void **state)
{
	(void)state;
	report->is_optional = true;
	report_error(report, EX_NOINPUT, "/a", 0, "not there");
	assert_reported(&reported, "/a: warning: not there [left-to-mta]\n");
	assert_int_equal(report->errors, 0);
	report_error(report, EX_OSERR, "/a", 0, "no memory");
	assert_int_equal(report->status, EX_OSERR);
}

static void a_terminal_does_not_obey(void **state)
{
	(void)state;
	report_error(report, EX_DATAERR, "/a\033[2J", 1, "\n\tb\177c\001");
	assert_reported(&reported, "/a\\x1B[2J:1: \\x0A\\x09b\\x7Fc\\x01\n");
	report_error(report, EX_DATAERR, "/a", 1, "m\303\274ller");
	assert_reported(&reported, "/a:1: m\303\274ller\n");
}

static void a_long_message_is_cut(void **state)
{
	char text[10000];
	const char *printed;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	report_warning(report, WARNING_POSTMASTER, NULL, 0, "%s", text);
	printed = reported_since(&reported);
	assert_in_range(strlen(printed), 4000, 5000);
	assert_int_equal(printed[strlen(printed) - 1], '\n');
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

/* Of each kind: however many of the ones, the others are printed. */
static void a_hundred_of_each_are_printed(void **state)
{
	(void)state;
	for (int i = 0; i < PRINTED; i++)
		report_warning(report, WARNING_POSTMASTER, NULL, 0, "w");
	assert_int_equal(count_lines(reported_since(&reported)), PRINTED);
	report_warning(report, WARNING_POSTMASTER, NULL, 0, "w");
	assert_reported(&reported, "rcptmap: warning: more than 100, the rest is only counted\n");
	report_warning(report, WARNING_POSTMASTER, NULL, 0, "w");
	assert_reported(&reported, "");
	for (int i = 0; i < PRINTED; i++)
		report_error(report, EX_DATAERR, NULL, 0, "e");
	assert_int_equal(count_lines(reported_since(&reported)), PRINTED);
	report_error(report, EX_DATAERR, NULL, 0, "e");
	assert_reported(&reported, "rcptmap: more than 100, the rest is only counted\n");
	report_error(report, EX_DATAERR, NULL, 0, "e");
	assert_reported(&reported, "");
	report_end(report);
	assert_reported(&reported, "rcptmap: ... and 2 more warnings\n"
				   "rcptmap: ... and 2 more errors\n");
	assert_int_equal(report->errors, PRINTED + 2);
	assert_int_equal(report->warnings, PRINTED + 2);
}

static void *complain(void *context)
{
	(void)context;
	for (int i = 0; i < EACH; i++) {
		report_error(report, EX_DATAERR, "/a", 1, "e");
		report_warning(report, WARNING_POSTMASTER, "/a", 1, "w");
	}
	return NULL;
}

static void threads_may_complain_at_once(void **state)
{
	pthread_t threads[THREADS];
	const char *text;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, complain, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(report->errors, THREADS * EACH);
	assert_int_equal(report->warnings, THREADS * EACH);
	text = reported_since(&reported);
	assert_int_equal(count_lines(text), 2 * (PRINTED + 1));
	/* No line is in another. */
	for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1)
		assert_true(strncmp(at, "/a:1: e\n", 8) == 0 ||
			    strncmp(at, "/a:1: warning: w [postmaster]\n", 30) == 0 ||
			    strncmp(at, "rcptmap: ", 9) == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* Neither said nor counted. */
static void what_is_off_never_was(void **state)
{
	(void)state;
	report->choice.is_off[WARNING_CATCH_ALL] = true;
	report->choice.is_off[WARNING_LENIENT] = true;
	report->is_lenient = true;
	report_warning(report, WARNING_CATCH_ALL, "/a", 1, "x");
	report_error(report, EX_DATAERR, "/a", 1, "bad");
	assert_reported(&reported, "");
	assert_int_equal(report->warnings, 0);
	report_warning(report, WARNING_POSTMASTER, "/a", 1, "x");
	assert_reported(&reported, "/a:1: warning: x [postmaster]\n");
	assert_int_equal(report->warnings, 1);
}

static void who_wants_quiet_still_hears_errors(void **state)
{
	(void)state;
	report->choice.are_silent = true;
	for (int i = 0; i < 2 * PRINTED; i++)
		report_warning(report, WARNING_CATCH_ALL, "/a", 1, "x");
	report_error(report, EX_DATAERR, "/a", 1, "bad");
	report_end(report);
	assert_reported(&reported, "/a:1: bad\n");
	assert_int_equal(report->warnings, 2 * PRINTED);
}

static void warn(const char *text)
{
	report_warning(report, WARNING_CATCH_ALL, "/a", 1, "%s", text);
}

/* What was kept becomes what is known. */
static void run_again(struct known_warnings *known)
{
	struct buffer kept = known->kept;

	known->kept = known->marks;
	known->marks = kept;
	buffer_clear(&known->kept);
	reported_end(&reported);
	reported_begin(&reported);
	report = &reported.report;
	report->known = known;
}

static void what_was_told_is_summed_up(void **state)
{
	struct known_warnings known;

	(void)state;
	known_warnings_init(&known);
	report->known = &known;
	warn("one");
	report_end(report);
	assert_reported(&reported, "/a:1: warning: one [catch-all]\n");
	run_again(&known);
	warn("one");
	report_end(report);
	assert_reported(&reported, "rcptmap: 1 known warning; -v shows it\n");
	assert_int_equal(report->warnings, 1);
	run_again(&known);
	report->repeats_known = true;
	warn("one");
	report_end(report);
	assert_reported(&reported, "/a:1: warning: one [catch-all]\n");
	run_again(&known);
	report->choice.are_silent = true;
	warn("one");
	warn("two");
	report_end(report);
	assert_reported(&reported, "");
	run_again(&known);
	warn("one");
	report_end(report);
	assert_reported(&reported, "rcptmap: 1 known warning; -v shows it\n");
	known_warnings_free(&known);
}

/* What was only counted nobody has read. */
static void what_was_not_told_is_not_known(void **state)
{
	struct known_warnings known;
	char text[16];

	(void)state;
	known_warnings_init(&known);
	report->known = &known;
	for (int i = 0; i < PRINTED + 2; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		warn(text);
	}
	run_again(&known);
	warn("101");
	warn("100");
	assert_reported(&reported, "/a:1: warning: 101 [catch-all]\n"
				   "/a:1: warning: 100 [catch-all]\n");
	known_warnings_free(&known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_names_its_place),
		TEST(the_first_error_makes_the_status),
		TEST(what_is_forgiven_counts_no_more),
		TEST(a_terminal_does_not_obey),
		TEST(a_lenient_report_passes_over_bad_lines),
		TEST(what_is_optional_is_no_error),
		TEST(a_long_message_is_cut),
		TEST(a_hundred_of_each_are_printed),
		TEST(threads_may_complain_at_once),
		TEST(what_is_off_never_was),
		TEST(who_wants_quiet_still_hears_errors),
		TEST(what_was_told_is_summed_up),
		TEST(what_was_not_told_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
