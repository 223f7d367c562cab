/* SPDX-License-Identifier: BSD-2-Clause */
/* virtual(5) as rows; the lines of text tables; the files they stand in. */
#include "read_source.h"

#include <sysexits.h>

static void gives(const char *text, const char *expected)
{
	source_gives("virtual", NULL, text, expected);
}

static void rows_are_key_and_value(void **state)
{
	(void)state;
	gives("", "");
	gives("a@b.test c@d.test\n", "1 [a@b.test] [c@d.test]\n");
	gives("a@b.test\t \tc@d.test, e@f.test \t\nx y\n",
	      "1 [a@b.test] [c@d.test, e@f.test]\n2 [x] [y]\n");
	gives("a b # no comment\n", "1 [a] [b # no comment]\n");
}

static void last_line_may_lack_its_newline(void **state)
{
	(void)state;
	gives("a b\nc d", "1 [a] [b]\n2 [c] [d]\n");
	gives("a b\nc\n  d", "1 [a] [b]\n2 [c] [d]\n");
	gives("a b\n#", "1 [a] [b]\n");
	gives("a b\n ", "1 [a] [b]\n");
}

static void carriage_return_is_white_space(void **state)
{
	(void)state;
	gives("a b\r\n\r\nc\r\n\td\r\n", "1 [a] [b]\n3 [c] [d]\n");
	gives("a\vb\fc\n", "1 [a] [b\fc]\n");
}

static void blank_lines_and_comments_vanish(void **state)
{
	(void)state;
	gives("# x\n\n   \n \t# y\na b\n#z\n", "5 [a] [b]\n");
}

static void white_space_continues_also_behind_comments(void **state)
{
	(void)state;
	gives("a b,\n c,\n\td\ne f\n", "1 [a] [b, c,\td]\n4 [e] [f]\n");
	gives("a b,\n# x\n\n  # y\n c\n", "1 [a] [b, c]\n");
	gives("a b,\n# x\nc d\n", "1 [a] [b,]\n3 [c] [d]\n");
	gives("a\n b\n", "1 [a] [b]\n");
	gives("\"a\n b\"@c.test d\n", "1 [\"a b\"@c.test] [d]\n");
}

static void key_ends_at_white_space_outside_quotes(void **state)
{
	(void)state;
	gives("\"a b\"@c.test d\n", "1 [\"a b\"@c.test] [d]\n");
	gives("a\\ b@c.test d\n", "1 [a\\ b@c.test] [d]\n");
	gives("\"a\\\" b\"@c.test d\n", "1 [\"a\\\" b\"@c.test] [d]\n");
	gives("a\\\\ b\n", "1 [a\\\\] [b]\n");
}

/* Keys are read in steps: of any size, with anything at any place in them. */
static void keys_of_any_size_end_where_they_end(void **state)
{
	static const char *const parts[] = { "k", "\" \"", "\\ ", "\\\"", "\303\274", ":x", "," };
	static const char *const gaps[] = { " ", "\t", "  " };

	(void)state;
	for (unsigned i = 0; i < 36 * 7 * 3; i++) {
		char key[64], text[128], expected[128];
		int before = (int)(i % 36);
		const char *part = parts[i / 36 % 7];
		const char *gap = gaps[i / 36 / 7];

		(void)snprintf(key, sizeof(key), "%.*s%sk", before,
			       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", part);
		(void)snprintf(text, sizeof(text), "%s%sv w%s\n", key, gap, gap);
		(void)snprintf(expected, sizeof(expected), "1 [%s] [v w]\n", key);
		gives(text, expected);
		(void)snprintf(text, sizeof(text), "%s%sv w and more than sixteen\n", key, gap);
		(void)snprintf(expected, sizeof(expected), "1 [%s] [v w and more than sixteen]\n",
			       key);
		gives(text, expected);
	}
}

static void utf8_keys_are_kept(void **state)
{
	(void)state;
	gives("j\xc3\xb6rg@b\xc3\xbc.test x\n", "1 [j\xc3\xb6rg@b\xc3\xbc.test] [x]\n");
}

static void wrong_lines_are_errors_and_the_rest_is_read(void **state)
{
	(void)state;
	gives("a b\nc\nd e\n", "1 [a] [b]\n3 [d] [e]\n/f:2: expected: key whitespace value\n");
	assert_int_equal(source_status, EX_DATAERR);
	gives("a  \n", "/f:1: expected: key whitespace value\n");
	gives("\"a b\nc d\n", "2 [c] [d]\n/f:1: a quote in the key does not end\n");
	gives("j\xf6rg@b.test x\nc d\n",
	      "2 [c] [d]\n/f:1: the key is not valid UTF-8, or has characters no address has\n");
	gives("j\xe2\x80\xaerg@b.test x\n",
	      "/f:1: the key is not valid UTF-8, or has characters no address has\n");
	gives(" a b\n  c d\ne f\n",
	      "3 [e] [f]\n/f:1: begins with white space, but continues no line\n");
	gives("# x\n a b\n", "/f:2: begins with white space, but continues no line\n");
}

static void key_with_a_colon_is_warned_of(void **state)
{
	(void)state;
	gives("a: b\n", "1 [a:] [b]\n/f:1: warning: the key ends in \":\"; is this an aliases "
			"file? [aliases-file]\n");
	assert_int_equal(source_status, 0);
}

static void nul_bytes_are_errors(void **state)
{
	static const char text[] = "a b\nc d\0e\nf g\n";
	char *got;

	(void)state;
	source_put(source_path, text, sizeof(text) - 1);
	got = source_read("virtual", NULL);
	assert_string_equal(got, "1 [a] [b]\n3 [f] [g]\n/f:2: has a NUL byte\n");
	free(got);
}

static void messages_do_not_obey_the_file(void **state)
{
	struct report report;
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	report_init(&report, stream);
	report_error(&report, EX_DATAERR, "f", 3, "what is \x1b[2J\n this");
	report_warning(&report, WARNING_POSTMASTER, NULL, 0, "100%%");
	report_error(&report, EX_OSERR, "f", 0, "second");
	assert_int_equal(report.errors, 2);
	assert_int_equal(report.warnings, 1);
	assert_int_equal(report.status, EX_DATAERR);
	report_free(&report);
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(text,
			    "f:3: what is \\x1B[2J\\x0A this\nrcptmap: warning: 100% [postmaster]\n"
			    "f: second\n");
	free(text);
}

static void messages_are_printed_up_to_a_hundred(void **state)
{
	struct report report;
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int lines = 0;

	(void)state;
	report_init(&report, stream);
	for (int i = 1; i <= 250; i++)
		report_error(&report, EX_DATAERR, "f", (uint32_t)i, "x");
	assert_int_equal(report.errors, 250);
	report_free(&report);
	assert_int_equal(fclose(stream), 0);
	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 101);
	assert_non_null(strstr(text, "f:100: x\n"));
	assert_null(strstr(text, "f:101: x\n"));
	free(text);
}

/* The I-th row of a long file, with continuation lines, comments and blank lines between. */
static void print_long_row(unsigned i, FILE *stream)
{
	(void)fprintf(stream, "user%u@example.test target%u", i, i);
	for (unsigned j = 0; j < i % 5; j++)
		(void)fprintf(stream, "\n%s , more%u", i % 3 == 0 ? "" : "# c\n\n  # d\n", j);
	(void)fputs("\n", stream);
}

static void check_long_row(unsigned i, const struct source_row *row)
{
	char key[64], value[256];
	size_t size;

	(void)snprintf(key, sizeof(key), "user%u@example.test", i);
	size = (size_t)snprintf(value, sizeof(value), "target%u", i);
	for (unsigned j = 0; j < i % 5; j++)
		size += (size_t)snprintf(value + size, sizeof(value) - size, " , more%u", j);
	assert_true(bytes_equal(row->key, bytes_of(key)));
	assert_true(bytes_equal(row->value, bytes_of(value)));
}

static void rows_are_whole_across_the_blocks_of_a_long_file(void **state)
{
	enum { ROWS = 100000 };
	struct settings_source from = { .path = source_path };
	FILE *stream = fopen(source_path, "w");
	struct report report;
	struct source_row row;
	struct source *source;
	unsigned count = 0;

	(void)state;
	assert_non_null(stream);
	for (unsigned i = 0; i < ROWS; i++)
		print_long_row(i, stream);
	assert_int_equal(fclose(stream), 0);
	report_init(&report, stderr);
	source = source_type_virtual.open(&from, NULL, &report);
	assert_non_null(source);
	while (source_type_virtual.next(source, &row) == SOURCE_ROW)
		check_long_row(count++, &row);
	assert_int_equal(count, ROWS);
	assert_int_equal(report.errors, 0);
	source_type_virtual.close(source);
	report_free(&report);
}

/* A row whose value has SIZE bytes, and one more. */
static char *read_long_value(size_t size)
{
	char *text = malloc(size + 16);
	char *got;

	assert_non_null(text);
	memset(text, 'v', size + 16);
	memcpy(text, "k\n ", 3);
	memcpy(text + 3 + size, "\na b\n", 5);
	source_put(source_path, text, size + 8);
	free(text);
	got = source_read("virtual", NULL);
	return got;
}

static void a_line_may_be_long_but_not_without_limit(void **state)
{
	char *got = read_long_value(9 * 1024 * 1024);

	(void)state;
	assert_int_equal(strncmp(got, "1 [k] [vvvv", 10), 0);
	assert_string_equal(got + strlen(got) - 14, "vv]\n3 [a] [b]\n");
	free(got);
	got = read_long_value(33 * 1024 * 1024);
	assert_string_equal(got, "failed\n/f:2: the line is longer than 16777216 bytes\n");
	free(got);
}

static void a_file_that_changes_meanwhile_fails(void **state)
{
	struct settings_source from = { .path = source_path };
	struct report report;
	struct source_row row;
	struct source *source;
	FILE *stream;
	char *text;
	size_t size;

	(void)state;
	report_init(&report, open_memstream(&text, &size));
	source_put(source_path, "a b\nc d\n", 8);
	source = source_type_virtual.open(&from, NULL, &report);
	assert_int_equal(source_type_virtual.next(source, &row), SOURCE_ROW);
	stream = fopen(source_path, "a");
	assert_non_null(stream);
	assert_true(fputs("e f\n", stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	while (source_type_virtual.next(source, &row) == SOURCE_ROW)
		continue;
	assert_int_equal(source_type_virtual.next(source, &row), SOURCE_FAILED);
	assert_int_equal(report.status, EX_TEMPFAIL);
	source_type_virtual.close(source);
	report_free(&report);
	assert_int_equal(fclose(report.stream), 0);
	assert_non_null(strstr(text, "changed while it was read"));
	free(text);
}

static void refused(int status, const char *words)
{
	char *got = source_read("virtual", NULL);

	if (strstr(got, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, got);
	assert_int_equal(strncmp(got, "failed\n", 7), 0);
	assert_int_equal(source_status, status);
	free(got);
}

static void files_others_may_write_are_refused(void **state)
{
	char *got;

	(void)state;
	refused(EX_NOINPUT, "No such file");
	source_put(source_path, "a b\n", 4);
	assert_int_equal(chmod(source_path, 0646), 0);
	refused(EX_NOPERM, "/f: others may write it (mode 0646)");
	assert_int_equal(chmod(source_path, 0664), 0);
	got = source_read("virtual", NULL);
	assert_string_equal(
		got, "1 [a] [b]\n/f: warning: its group may write it (mode 0664) [group-writes]\n");
	free(got);
	assert_int_equal(chmod(source_path, 0644), 0);
	assert_int_equal(chmod(source_folder, 0777), 0);
	refused(EX_NOPERM, "others may write its directory (mode 0777)");
	assert_int_equal(chmod(source_folder, 0700), 0);
	assert_int_equal(unlink(source_path), 0);
	assert_int_equal(mkfifo(source_path, 0600), 0);
	refused(EX_NOINPUT, "is not a regular file");
}

static void types_are_found_by_name(void **state)
{
	static const char *const names[] = { "virtual", "aliases", "virtusertable", "regexp",
					     "pcre",    "domains", "recipients" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct source_type *type = source_type_find(names[i]);

		assert_non_null(type);
		assert_string_equal(type->name, names[i]);
	}
	assert_ptr_equal(source_type_find("virtual"), &source_type_virtual);
	assert_null(source_type_find("virtua"));
	assert_null(source_type_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(rows_are_key_and_value),
		SOURCE_TEST(last_line_may_lack_its_newline),
		SOURCE_TEST(carriage_return_is_white_space),
		SOURCE_TEST(blank_lines_and_comments_vanish),
		SOURCE_TEST(white_space_continues_also_behind_comments),
		SOURCE_TEST(key_ends_at_white_space_outside_quotes),
		SOURCE_TEST(keys_of_any_size_end_where_they_end),
		SOURCE_TEST(utf8_keys_are_kept),
		SOURCE_TEST(wrong_lines_are_errors_and_the_rest_is_read),
		SOURCE_TEST(key_with_a_colon_is_warned_of),
		SOURCE_TEST(nul_bytes_are_errors),
		SOURCE_TEST(messages_do_not_obey_the_file),
		SOURCE_TEST(messages_are_printed_up_to_a_hundred),
		SOURCE_TEST(rows_are_whole_across_the_blocks_of_a_long_file),
		SOURCE_TEST(a_line_may_be_long_but_not_without_limit),
		SOURCE_TEST(a_file_that_changes_meanwhile_fails),
		SOURCE_TEST(files_others_may_write_are_refused),
		SOURCE_TEST(types_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
