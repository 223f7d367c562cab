/* SPDX-License-Identifier: BSD-2-Clause */
/* What is remembered of the files that were compiled: all of it is read, or none. */
#include "scratch.h"

#include "follow/remembered.h"

static struct watched watched;
static char table[PATH_MAX], a[PATH_MAX], b[PATH_MAX];
static struct error err;

static int begin(void **state)
{
	int result = scratch_begin(state);

	watched = (struct watched){ 0 };
	(void)snprintf(table, sizeof(table), "%s", scratch_path("table"));
	(void)snprintf(a, sizeof(a), "%s", scratch_path("a"));
	(void)snprintf(b, sizeof(b), "%s", scratch_path("b  b "));
	return result;
}

static int end(void **state)
{
	watched_free(&watched);
	return scratch_end(state);
}

static void remember(const char *other)
{
	scratch_put_bytes("a", "1", 1);
	assert_true(watched_add(&watched, a));
	assert_true(watched_add(&watched, other));
	assert_true(remembered_write(table, &watched, &err));
	watched_free(&watched);
}

static void a_change_since_then_is_news(void **state)
{
	(void)state;
	remember(b);
	assert_true(remembered_read(table, a, &watched));
	assert_int_equal(watched.count, 2);
	assert_true(watched_has(&watched, b));
	assert_false(watched_has_news(&watched));
	watched_free(&watched);
	scratch_put_bytes("a", "22", 2);
	assert_true(remembered_read(table, a, &watched));
	assert_true(watched_has_news(&watched));
}

static void so_is_one_that_was_not_there(void **state)
{
	(void)state;
	remember(b);
	scratch_put_bytes("b  b ", "1", 1);
	assert_true(remembered_read(table, a, &watched));
	assert_true(watched_has_news(&watched));
	watched_free(&watched);
	remember(b);
	assert_int_equal(unlink(b), 0);
	assert_true(remembered_read(table, a, &watched));
	assert_true(watched_has_news(&watched));
}

static void what_was_compiled_counts_and_not_what_was_seen_since(void **state)
{
	(void)state;
	scratch_put_bytes("a", "1", 1);
	assert_true(watched_add(&watched, a));
	scratch_put_bytes("a", "22", 2);
	assert_true(watched_look(&watched));
	assert_true(remembered_write(table, &watched, &err));
	watched_free(&watched);
	assert_true(remembered_read(table, a, &watched));
	assert_true(watched_has_news(&watched));
}

static void nothing_is_taken_of_what_cant_be_understood(void **state)
{
	(void)state;
	assert_false(remembered_read(table, a, &watched));
	remember(b);
	assert_false(remembered_read(table, table, &watched));
	assert_int_equal(watched.count, 0);
	remember("/a\nb");
	assert_false(remembered_read(table, a, &watched));
	assert_int_equal(watched.count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_change_since_then_is_news, begin, end),
		cmocka_unit_test_setup_teardown(so_is_one_that_was_not_there, begin, end),
		cmocka_unit_test_setup_teardown(
			what_was_compiled_counts_and_not_what_was_seen_since, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_taken_of_what_cant_be_understood, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
