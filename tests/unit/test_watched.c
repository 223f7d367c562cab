/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files are watched, and which changes are news. */
#include "scratch.h"

#include "follow/watched.h"

static struct watched watched;

static int begin(void **state)
{
	watched = (struct watched){ 0 };
	return scratch_begin(state);
}

static int end(void **state)
{
	watched_free(&watched);
	return scratch_end(state);
}

static void put(const char *name, const char *text)
{
	scratch_put_bytes(name, text, strlen(text));
}

static void a_change_is_seen_once_and_news_until_it_is_taken(void **state)
{
	(void)state;
	put("a", "1");
	assert_true(watched_add(&watched, scratch_path("a")));
	assert_false(watched_look(&watched));
	assert_false(watched_has_news(&watched));
	put("a", "22");
	assert_true(watched_look(&watched));
	assert_false(watched_look(&watched));
	assert_true(watched_has_news(&watched));
	watched_take(&watched);
	assert_false(watched_has_news(&watched));
}

static void coming_going_and_replacing_are_changes(void **state)
{
	(void)state;
	assert_true(watched_add(&watched, scratch_path("a")));
	assert_false(watched_look(&watched));
	put("a", "1");
	assert_true(watched_look(&watched));
	put("b", "1");
	assert_int_equal(rename(scratch_path("b"), scratch_path("a")), 0);
	assert_true(watched_look(&watched));
	assert_int_equal(unlink(scratch_path("a")), 0);
	assert_true(watched_look(&watched));
	assert_false(watched_look(&watched));
	/* It is as it was when it was added. */
	assert_false(watched_has_news(&watched));
}

static void links_are_followed(void **state)
{
	(void)state;
	put("a", "1");
	assert_int_equal(symlink("a", scratch_path("link")), 0);
	assert_true(watched_add(&watched, scratch_path("link")));
	put("a", "22");
	assert_true(watched_look(&watched));
}

static void what_was_read_is_what_counts(void **state)
{
	struct file_identity read;

	(void)state;
	put("a", "1");
	assert_true(watched_add(&watched, scratch_path("a")));
	put("a", "22");
	assert_true(file_identity_get(scratch_path("a"), &read));
	watched_took(&watched, scratch_path("a"), &read);
	watched_took(&watched, scratch_path("other"), &read);
	assert_true(watched_has_news(&watched));
	assert_true(watched_look(&watched));
	assert_false(watched_has_news(&watched));
}

static void a_new_list_drops_what_is_not_on_it(void **state)
{
	(void)state;
	assert_true(watched_add(&watched, scratch_path("a")));
	assert_true(watched_add(&watched, scratch_path("b")));
	assert_true(watched_add(&watched, scratch_path("a")));
	assert_int_equal(watched.count, 2);
	watched_renew(&watched);
	assert_true(watched_add(&watched, scratch_path("b")));
	assert_true(watched_add(&watched, scratch_path("c")));
	assert_int_equal(watched.count, 3);
	watched_drop(&watched);
	assert_int_equal(watched.count, 2);
	put("a", "1");
	assert_false(watched_look(&watched));
	put("b", "1");
	assert_true(watched_look(&watched));
}

/* By a slash at its end; what happens in it changes it, and it is no file. */
static void a_folder_may_be_watched(void **state)
{
	(void)state;
	assert_true(watched_add(&watched, scratch_path("a")));
	assert_true(watched_add(&watched, scratch_path("folder/")));
	assert_int_equal(watched_count_files(&watched), 1);
	assert_false(watched_look(&watched));
	assert_int_equal(mkdir(scratch_path("folder"), 0755), 0);
	assert_true(watched_look(&watched));
	(void)usleep(20000); /* another tick of the clock that files have */
	put("folder/x", "1");
	assert_true(watched_look(&watched));
	assert_false(watched_look(&watched));
	(void)usleep(20000);
	assert_int_equal(unlink(scratch_path("folder/x")), 0);
	assert_true(watched_look(&watched));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_is_seen_once_and_news_until_it_is_taken),
		TEST(coming_going_and_replacing_are_changes),
		TEST(links_are_followed),
		TEST(what_was_read_is_what_counts),
		TEST(a_new_list_drops_what_is_not_on_it),
		TEST(a_folder_may_be_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
