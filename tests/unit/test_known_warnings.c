/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/known_warnings.h"

#include "base/file.h"
#include "scratch.h"

enum { SUM = 0x1234, MANY = 24000 };

static struct known_warnings known;

/* Keep COUNT marks, twice each, for the table `t` with SUM. */
static void save(uint64_t count)
{
	known_warnings_init(&known);
	for (uint64_t i = count; i > 0; i--) {
		known_warnings_keep(&known, i * 7);
		known_warnings_keep(&known, i * 7);
	}
	known_warnings_save(&known, scratch_path("t"), SUM);
	known_warnings_free(&known);
}

/* How many of the marks up to COUNT are known. */
static uint64_t load(uint64_t count, uint64_t sum)
{
	uint64_t found = 0;

	known_warnings_init(&known);
	known_warnings_load(&known, scratch_path("t"), sum);
	for (uint64_t i = 1; i <= count; i++)
		found += known_warnings_find(&known, i * 7);
	assert_false(known_warnings_find(&known, 1));
	known_warnings_free(&known);
	return found;
}

static void what_was_kept_is_known(void **state)
{
	(void)state;
	for (uint64_t count = 1; count <= MANY; count += 1 + count * 5) {
		save(count);
		assert_int_equal(load(count + 5, SUM), count);
	}
	assert_int_not_equal(access(scratch_path(".t.000000000000.tmp"), F_OK), 0);
}

static void of_another_table_nothing_is_known(void **state)
{
	(void)state;
	save(3);
	assert_int_equal(load(3, SUM + 1), 0);
	assert_int_equal(load(3, 0), 0);
}

static void nothing_kept_leaves_no_file(void **state)
{
	(void)state;
	save(0);
	assert_int_not_equal(access(scratch_path("t.warnings"), F_OK), 0);
	save(2);
	save(0);
	assert_int_not_equal(access(scratch_path("t.warnings"), F_OK), 0);
	assert_int_equal(load(2, SUM), 0);
}

/* Up to where it is sound. */
static void what_is_no_such_file_is_none(void **state)
{
	static const char header[] = "openrcpt warnings 1 0000000000001234\n";
	static const char first[] = "0000000000000007\n";
	static const struct {
		const char *tail;
		uint64_t found;
	} cases[] = {
		{ "", 1 },
		{ "000000000000000e", 1 },
		{ "000000000000000E\n", 1 },
		{ "00000000000000 e\n", 1 },
		{ "0000000000000000e\n", 1 },
		{ "000000000000000e\n", 2 },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s%s%s", header, first, cases[i].tail);
		scratch_put("t.warnings", text);
		assert_int_equal(load(2, SUM), cases[i].found);
	}
	for (size_t size = 0; size < sizeof(header) - 1; size++) {
		scratch_put_bytes("t.warnings", header, size);
		assert_int_equal(load(2, SUM), 0);
	}
}

static void only_our_own_file_is_believed(void **state)
{
	(void)state;
	save(2);
	assert_int_equal(chmod(scratch_path("t.warnings"), 0666), 0);
	assert_int_equal(load(2, SUM), 0);
	assert_int_equal(chmod(scratch_path("t.warnings"), 0600), 0);
	assert_int_equal(load(2, SUM), 2);
	assert_int_equal(rename(scratch_path("t.warnings"), scratch_path("else")), 0);
	assert_int_equal(symlink("else", scratch_path("t.warnings")), 0);
	assert_int_equal(load(2, SUM), 0);
	/* What a link leads to is left alone. */
	save(1);
	assert_int_equal(load(2, SUM), 1);
	assert_int_equal(rename(scratch_path("else"), scratch_path("t.warnings")), 0);
	assert_int_equal(load(2, SUM), 2);
}

/* And the next writer of the table removes it. */
static void a_leftover_is_nobodys(void **state)
{
	struct file_output output;

	(void)state;
	scratch_put(".t.000000000000.tmp", "x");
	save(2);
	assert_int_equal(load(2, SUM), 0);
	assert_true(file_output_lock(scratch_path("t"), 0, &output, NULL));
	file_output_close(&output);
	assert_int_not_equal(access(scratch_path(".t.000000000000.tmp"), F_OK), 0);
	save(2);
	assert_int_equal(load(2, SUM), 2);
}

static void a_folder_that_is_not_there_is_no_trouble(void **state)
{
	(void)state;
	known_warnings_init(&known);
	known_warnings_load(&known, scratch_path("no/t"), SUM);
	known_warnings_keep(&known, 1);
	known_warnings_save(&known, scratch_path("no/t"), SUM);
	known_warnings_free(&known);
}

static void a_mark_is_of_what_the_warning_is_about(void **state)
{
	const uint64_t mark = known_warnings_mark(WARNING_CATCH_ALL, "/a", 3, "x");

	(void)state;
	assert_true(mark == known_warnings_mark(WARNING_CATCH_ALL, "/a", 4, "x"));
	assert_true(mark != known_warnings_mark(WARNING_UNDECLARED, "/a", 3, "x"));
	assert_true(mark != known_warnings_mark(WARNING_CATCH_ALL, "/b", 3, "x"));
	assert_true(mark != known_warnings_mark(WARNING_CATCH_ALL, NULL, 3, "x"));
	assert_true(mark != known_warnings_mark(WARNING_CATCH_ALL, "/a", 3, "y"));
	/* Its text is that of any other. */
	assert_true(known_warnings_mark(WARNING_SMTPUTF8, "/a", 3, "x") !=
		    known_warnings_mark(WARNING_SMTPUTF8, "/a", 4, "x"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_was_kept_is_known),
		SCRATCH_TEST(of_another_table_nothing_is_known),
		SCRATCH_TEST(nothing_kept_leaves_no_file),
		SCRATCH_TEST(what_is_no_such_file_is_none),
		SCRATCH_TEST(only_our_own_file_is_believed),
		SCRATCH_TEST(a_leftover_is_nobodys),
		SCRATCH_TEST(a_folder_that_is_not_there_is_no_trouble),
		cmocka_unit_test(a_mark_is_of_what_the_warning_is_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
