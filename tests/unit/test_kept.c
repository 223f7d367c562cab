/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files beside a table are older ones of it, and which of them go. */
#include "scratch.h"

#include <sysexits.h>

#include "publish/kept.h"

static void put_names(const char *const *names)
{
	for (; *names != NULL; names++)
		scratch_put_bytes(*names, "x", 1);
}

static void the_newest_comes_first(void **state)
{
	const char *const names[] = {
		"t",     "t.9",    "t.10", "t.0",   "t.07", "t.1x", "t.x",
		"t.",    "tt.3",   ".t.4", "t.5.6", "t.-1", "t. 1", "t.18446744073709551616",
		"t.100", "t.1.gz", NULL,
	};
	const uint64_t expected[] = { 100, 10, 9 };
	struct kept_tables kept;
	uint64_t newest;
	struct error err;

	(void)state;
	put_names(names);
	assert_true(kept_list(scratch_path("t"), &kept, &err));
	assert_int_equal(kept.count, 3);
	assert_memory_equal(kept.generations, expected, sizeof(expected));
	kept_free(&kept);
	assert_true(kept_newest(scratch_path("t"), &newest, &err));
	assert_int_equal(newest, 100);
	assert_true(kept_newest(scratch_path("other"), &newest, &err));
	assert_int_equal(newest, 0);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
	struct kept_tables kept;
	struct error err;

	(void)state;
	assert_false(kept_list(scratch_path("nowhere/t"), &kept, &err));
	assert_int_equal(err.status, EX_NOINPUT);
}

static void no_generation_comes_twice(void **state)
{
	(void)state;
	assert_int_equal(kept_next(0, 0), 1);
	assert_int_equal(kept_next(0, 7), 8);
	assert_int_equal(kept_next(6, 7), 8);
	assert_int_equal(kept_next(9, 7), 10);
	/* The seventh was there, and is no more. */
	assert_int_equal(kept_next(6, 0), 8);
}

static void the_oldest_go(void **state)
{
	const char *const names[] = { "t", "t.1", "t.2", "t.3", "t.11", "t.x", NULL };
	struct error err;

	(void)state;
	put_names(names);
	assert_true(kept_prune(scratch_path("t"), 2, &err));
	assert_int_equal(access(scratch_path("t.11"), F_OK), 0);
	assert_int_equal(access(scratch_path("t.3"), F_OK), 0);
	assert_int_not_equal(access(scratch_path("t.2"), F_OK), 0);
	assert_int_not_equal(access(scratch_path("t.1"), F_OK), 0);
	assert_true(kept_prune(scratch_path("t"), 0, &err));
	assert_int_not_equal(access(scratch_path("t.11"), F_OK), 0);
	assert_int_equal(access(scratch_path("t"), F_OK), 0);
	assert_int_equal(access(scratch_path("t.x"), F_OK), 0);
}

static void one_that_cant_go_is_said(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(mkdir(scratch_path("t.4"), 0700), 0);
	assert_false(kept_prune(scratch_path("t"), 0, &err));
	assert_non_null(strstr(err.text, "t.4: removing it"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_newest_comes_first),    TEST(a_folder_that_is_not_there_is_an_error),
		TEST(no_generation_comes_twice), TEST(the_oldest_go),
		TEST(one_that_cant_go_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
