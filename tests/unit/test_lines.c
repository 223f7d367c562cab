/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/lines.h"

#include <sysexits.h>

#include "base/buffer.h"
#include "reported.h"
#include "scratch.h"

enum { BLOCK = 256 * 1024 };

static struct reported reported;

static int begin(void **state)
{
	reported_begin(&reported);
	return scratch_begin(state);
}

static int end(void **state)
{
	reported_end(&reported);
	return scratch_end(state);
}

static const char *path(void)
{
	return scratch_path("f");
}

/* All lines of the file, as `number[line]`, and `!` where it failed. */
static void read_all(enum lines_form form, struct buffer *out_text)
{
	const char *name = path();
	struct lines *lines = lines_open(name, form, &reported.report);
	enum lines_step step;
	struct bytes line;
	uint32_t number;

	assert_non_null(lines);
	buffer_init(out_text, 1 << 26);
	while ((step = lines_next(lines, &line, &number)) == LINES_LINE) {
		buffer_append_format(out_text, "%u[", (unsigned)number);
		buffer_append(out_text, line);
		buffer_append_byte(out_text, ']');
	}
	buffer_append_text(out_text, step == LINES_END ? "" : "!");
	assert_false(out_text->has_failed);
	lines_close(lines);
}

static void gives_bytes(enum lines_form form, struct bytes text, const char *expected)
{
	struct buffer got;

	scratch_put_bytes("f", text.data, text.size);
	read_all(form, &got);
	assert_string_equal(got.size == 0 ? "" : got.data, expected);
	buffer_free(&got);
}

static void logical(const char *text, const char *expected)
{
	gives_bytes(LINES_LOGICAL, bytes_of(text), expected);
}

static void physical(const char *text, const char *expected)
{
	gives_bytes(LINES_PHYSICAL, bytes_of(text), expected);
}

static void what_is_no_line_vanishes(void **state)
{
	static const char *const nothing[] = { "",   "\n",     "\n\n\n",    "#",    "# x\n",
					       "  ", "  \n\n", " \t # x\n", "\r\n", "#\n#\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		logical(nothing[i], "");
		physical(nothing[i], "");
	}
	assert_reported(&reported, "");
}

/* An editor's, not the first key's. Anywhere else it is what it is. */
static void a_byte_order_mark_in_front_is_passed_over(void **state)
{
	(void)state;
	logical("\xEF\xBB\xBF"
		"a\nb\n",
		"1[a]2[b]");
	physical("\xEF\xBB\xBF"
		 "a\n b",
		 "1[a]2[ b]");
	logical("\xEF\xBB\xBF"
		"# a\nb\n  c\n",
		"2[b  c]");
	logical("\xEF\xBB\xBF", "");
	logical("\xEF\xBB", "1[\xEF\xBB]");
	logical("a\n\xEF\xBB\xBF"
		"b\n",
		"1[a]2[\xEF\xBB\xBF"
		"b]");
}

static void lines_keep_their_numbers(void **state)
{
	(void)state;
	logical("a\nb\n", "1[a]2[b]");
	logical("\n#\na\n\n\nb", "3[a]6[b]");
	physical("\n#\na\n\n\nb", "3[a]6[b]");
	logical("a\r\nb \n", "1[a\r]2[b ]");
}

static void white_space_continues(void **state)
{
	(void)state;
	logical("a\n b\n\tc\nd\n", "1[a b\tc]4[d]");
	logical("a\n\n# x\n  # y\n b\n#\nc", "1[a b]7[c]");
	logical("a\n \n b", "1[a b]");
	logical("a\n b", "1[a b]");
	logical("a\n #b\n", "1[a]");
	/* The line that is continued may itself stand behind what vanishes. */
	logical("\n\na\n b\n", "3[a b]");
}

static void of_physical_lines_each_stands_for_itself(void **state)
{
	(void)state;
	physical("a\n b\n\tc\n", "1[a]2[ b]3[\tc]");
	physical(" a\n", "1[ a]");
	assert_reported(&reported, "");
}

static void what_continues_nothing_is_passed_over(void **state)
{
	char expected[300];

	(void)state;
	logical(" a\n b\nc\n", "3[c]");
	(void)snprintf(expected, sizeof(expected),
		       "%s:1: begins with white space, but continues no line\n", path());
	assert_reported(&reported, expected);
	assert_int_equal(reported.report.status, EX_DATAERR);
}

static void lines_with_nul_bytes_are_passed_over(void **state)
{
	static const char text[] = "a\nb\0c\nd\n e\0\nf\n g\n\0";

	(void)state;
	gives_bytes(LINES_LOGICAL, bytes_make(text, sizeof(text) - 1), "1[a]5[f g]");
	assert_int_equal(reported.report.errors, 3);
	gives_bytes(LINES_PHYSICAL, bytes_make("a\0\nb", 4), "2[b]");
	assert_int_equal(reported.report.errors, 4);
	/* It vanishes before anybody looks. */
	gives_bytes(LINES_LOGICAL, bytes_make("#\0\nb", 4), "2[b]");
	assert_int_equal(reported.report.errors, 4);
}

/* A file in which line 2 has SIZE bytes, then comes REST. */
static void gives_behind(size_t size, const char *rest, const char *second)
{
	char *text = malloc(size + 100);
	struct buffer got, expected;

	assert_non_null(text);
	strcpy(text, "a\n");
	memset(text + 2, 'x', size);
	strcpy(text + 2 + size, rest);
	scratch_put("f", text);
	read_all(LINES_LOGICAL, &got);
	buffer_init(&expected, 1 << 26);
	buffer_append_text(&expected, "1[a]2[");
	buffer_append(&expected, bytes_make(text + 2, size));
	buffer_append_text(&expected, second);
	if (!bytes_equal(buffer_bytes(&got), buffer_bytes(&expected)))
		fail_msg("of %zu bytes and %s", size, rest);
	buffer_free(&got);
	buffer_free(&expected);
	free(text);
}

/* Wherever the file is cut into blocks: before, in and behind the newline. */
static void a_block_may_end_anywhere(void **state)
{
	(void)state;
	for (size_t block = BLOCK; block <= 2 * BLOCK; block += BLOCK)
		for (size_t size = block - 7; size <= block + 1; size++) {
			gives_behind(size, "", "]");
			gives_behind(size, "\n", "]");
			gives_behind(size, "\ny\nz", "]3[y]4[z]");
			gives_behind(size, "\n y\nz", " y]4[z]");
			gives_behind(size, "\n#\n y\n", " y]");
			gives_behind(size, "\n\n\nz", "]5[z]");
		}
}

static void a_line_may_be_long(void **state)
{
	(void)state;
	gives_behind((size_t)12 << 20, "\nb\n", "]3[b]");
	assert_reported(&reported, "");
}

static void a_line_that_is_too_long_ends_it(void **state)
{
	size_t size = (size_t)40 << 20;
	char *text = malloc(size);
	struct buffer got;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', size);
	text[0] = '\n';
	scratch_put_bytes("f", text, size);
	free(text);
	read_all(LINES_LOGICAL, &got);
	assert_string_equal(got.data, "!");
	buffer_free(&got);
	assert_int_equal(reported.report.status, EX_DATAERR);
	assert_non_null(strstr(reported_since(&reported), ":2: the line is longer than"));
}

static void a_file_that_grows_meanwhile_fails(void **state)
{
	const char *name = path();
	struct lines *lines;
	struct bytes line;
	uint32_t number;
	FILE *stream;

	(void)state;
	scratch_put("f", "a\nb\n");
	lines = lines_open(name, LINES_LOGICAL, &reported.report);
	assert_non_null(lines);
	assert_int_equal(lines_next(lines, &line, &number), LINES_LINE);
	stream = fopen(name, "a");
	assert_non_null(stream);
	assert_true(fputs("c\n", stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	while (lines_next(lines, &line, &number) == LINES_LINE)
		;
	assert_int_equal(reported.report.status, EX_TEMPFAIL);
	lines_close(lines);
}

static void refused(int status, const char *words)
{
	const char *name = path();

	report_forgive(&reported.report);
	assert_null(lines_open(name, LINES_LOGICAL, &reported.report));
	assert_int_equal(reported.report.status, status);
	assert_non_null(strstr(reported_since(&reported), words));
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	lines_close(NULL);
	refused(EX_NOINPUT, "No such file");
	assert_int_equal(mkdir(path(), 0700), 0);
	refused(EX_NOINPUT, "is not a regular file");
	assert_int_equal(rmdir(path()), 0);
	/* A hanging open would end this test by the harness's time limit. */
	assert_int_equal(mkfifo(path(), 0600), 0);
	refused(EX_NOINPUT, "is not a regular file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_line_vanishes),
		TEST(a_byte_order_mark_in_front_is_passed_over),
		TEST(lines_keep_their_numbers),
		TEST(white_space_continues),
		TEST(of_physical_lines_each_stands_for_itself),
		TEST(what_continues_nothing_is_passed_over),
		TEST(lines_with_nul_bytes_are_passed_over),
		TEST(a_block_may_end_anywhere),
		TEST(a_line_may_be_long),
		TEST(a_line_that_is_too_long_ends_it),
		TEST(a_file_that_grows_meanwhile_fails),
		TEST(what_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
