/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/proof_findings.h"

#include <sysexits.h>

#include "reported.h"

enum { KEPT = 20000, TEXT_BYTES = 1024 };

static struct proof_findings findings;
static struct line_map lines;
static struct reported reported;

static int begin(void **state)
{
	uint32_t ignored;

	(void)state;
	proof_findings_init(&findings);
	line_map_init(&lines);
	reported_begin(&reported);
	return !line_map_add_source(&lines, "/a") || !line_map_add_line(&lines, 9, &ignored) ||
	       !line_map_add_source(&lines, "/b");
}

static int end(void **state)
{
	(void)state;
	proof_findings_free(&findings);
	line_map_free(&lines);
	reported_end(&reported);
	return 0;
}

/* The number over all sources of a line in source NUMBER. */
static uint32_t line_of(size_t number, uint32_t line)
{
	return lines.sources[number].first_line + line;
}

static void they_come_by_line(void **state)
{
	(void)state;
	proof_findings_add(&findings, line_of(1, 1), WARNING_LENIENT, "fourth %d", 4);
	proof_findings_add(&findings, line_of(0, 2), WARNING_CATCH_ALL, "second");
	proof_findings_add(&findings, 0, WARNING_CATCH_ALL, "first");
	proof_findings_add(&findings, line_of(0, 9), WARNING_LENIENT, "third");
	proof_findings_report(&findings, &lines, &reported.report, false);
	assert_reported(&reported, "rcptmap: warning: first [catch-all]\n/a:2: warning: second "
				   "[catch-all]\n/a:9: third\n"
				   "/b:1: fourth 4\n");
	assert_int_equal(reported.report.status, EX_DATAERR);
}

/* qsort() doesn't promise it. */
static void of_one_line_they_stay_in_their_order(void **state)
{
	int expected = 0;

	(void)state;
	for (int i = 0; i < 50; i++)
		proof_findings_add(&findings, line_of(0, 3), WARNING_LENIENT, "%d", i);
	proof_findings_report(&findings, &lines, &reported.report, false);
	for (const char *at = reported_since(&reported); *at != '\0'; at = strchr(at, '\n') + 1)
		assert_int_equal(atoi(at + strlen("/a:3: ")), expected++);
	assert_int_equal(expected, 50);
}

static void lenient_ones_are_warnings(void **state)
{
	(void)state;
	proof_findings_add(&findings, line_of(0, 1), WARNING_LENIENT, "x");
	proof_findings_report(&findings, &lines, &reported.report, true);
	assert_reported(&reported, "/a:1: warning: x [lenient]\n");
	assert_int_equal(reported.report.errors, 0);
}

static void nothing_found_is_nothing_said(void **state)
{
	(void)state;
	proof_findings_report(&findings, &lines, &reported.report, false);
	assert_reported(&reported, "");
}

static void two_threads_findings_become_one_list(void **state)
{
	struct proof_findings other;

	(void)state;
	proof_findings_init(&other);
	proof_findings_add(&findings, line_of(0, 2), WARNING_LENIENT, "b");
	proof_findings_add(&other, line_of(0, 1), WARNING_LENIENT, "a");
	proof_findings_add(&other, line_of(0, 2), WARNING_LENIENT, "c");
	proof_findings_merge(&findings, &other);
	proof_findings_free(&other);
	proof_findings_report(&findings, &lines, &reported.report, false);
	assert_reported(&reported, "/a:1: a\n/a:2: b\n/a:2: c\n");
}

/* However many warnings there are: no error is lost for them. */
static void each_kind_has_its_limit(void **state)
{
	struct proof_findings other;

	(void)state;
	for (int i = 0; i < KEPT + 5; i++)
		proof_findings_add(&findings, line_of(0, 1), WARNING_CATCH_ALL, "w");
	assert_int_equal(findings.uncounted, 5);
	proof_findings_add(&findings, line_of(0, 2), WARNING_LENIENT, "e");
	assert_int_equal(findings.uncounted, 5);
	proof_findings_init(&other);
	proof_findings_add(&other, line_of(0, 1), WARNING_CATCH_ALL, "w");
	other.uncounted = 3;
	proof_findings_merge(&findings, &other);
	proof_findings_free(&other);
	assert_int_equal(findings.uncounted, 9);
	proof_findings_report(&findings, &lines, &reported.report, false);
	assert_int_equal(reported.report.errors, 1);
	assert_int_equal(reported.report.warnings, KEPT + 1); /* and how many more */
	assert_non_null(strstr(reported_since(&reported), "/a:2: e\n"));
}

static void lack_of_memory_is_an_error_of_its_own(void **state)
{
	struct proof_findings other;

	(void)state;
	proof_findings_init(&other);
	other.has_failed = true;
	proof_findings_merge(&findings, &other);
	proof_findings_report(&findings, &lines, &reported.report, true);
	assert_reported(&reported, "rcptmap: out of memory\n");
	assert_int_equal(reported.report.status, EX_OSERR);
	proof_findings_free(&other);
}

static void a_long_text_is_cut(void **state)
{
	char text[TEXT_BYTES + 100];
	const char *said;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	proof_findings_add(&findings, line_of(0, 1), WARNING_LENIENT, "%s", text);
	proof_findings_add(&findings, line_of(0, 2), WARNING_LENIENT, "next");
	proof_findings_report(&findings, &lines, &reported.report, false);
	said = reported_since(&reported);
	assert_int_equal(strcspn(said, "\n"), strlen("/a:1: ") + TEXT_BYTES - 1);
	assert_non_null(strstr(said, "\n/a:2: next\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(they_come_by_line),
		TEST(of_one_line_they_stay_in_their_order),
		TEST(lenient_ones_are_warnings),
		TEST(nothing_found_is_nothing_said),
		TEST(two_threads_findings_become_one_list),
		TEST(each_kind_has_its_limit),
		TEST(lack_of_memory_is_an_error_of_its_own),
		TEST(a_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
