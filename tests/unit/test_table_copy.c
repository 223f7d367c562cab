/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/table_copy.h"

#include "make_table.h"
#include "scratch.h"

static struct table *open_table(enum table_load load)
{
	struct error err;
	struct table *table;

	install_table(scratch_path("table"), 1);
	table = table_open(scratch_path("table"), TRUST_NOBODY, load, &err);
	assert_non_null(table);
	return table;
}

/* The copy is COPY_FD, and what it is of serves again without the file. */
static void serves(int copy_fd, enum table_load load)
{
	struct error err;
	struct table *again = table_open_descriptor("copy", copy_fd, load, &err);

	assert_non_null(again);
	assert_int_equal(table_facts(again)->generation, 1);
	table_close(again);
}

static void a_copy_is_sealed_and_of_one_table(void **state)
{
	struct table *table = open_table(TABLE_COPIED);
	struct table *other;
	struct error err;
	int fd = table_copy_make(table, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_true(table_copy_is_of(fd, table));
	assert_false(table_copy_is_of(-1, table));
	assert_int_equal(ftruncate(fd, 0), -1);
	install_table(scratch_path("other"), 2);
	other = table_open(scratch_path("other"), TRUST_NOBODY, TABLE_COPIED, &err);
	assert_non_null(other);
	assert_false(table_copy_is_of(fd, other));
	table_close(other);
	table_close(table);
	assert_int_equal(unlink(scratch_path("table")), 0);
	serves(fd, TABLE_COPIED);
	serves(fd, TABLE_GUARDED);
	assert_int_equal(close(fd), 0);
}

static void of_a_mapped_table_it_is_the_file(void **state)
{
	struct table *table = open_table(TABLE_GUARDED);
	struct error err;
	int fd = table_copy_make(table, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unlink(scratch_path("table")), 0);
	table_close(table);
	serves(fd, TABLE_GUARDED);
	assert_int_equal(close(fd), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_copy_is_sealed_and_of_one_table),
		TEST(of_a_mapped_table_it_is_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
