/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/watch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char folder[64];
	char path[80];
	char other[80];
	struct watch watch;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void load(struct fixture *fixture)
{
	struct file_identity identity;

	assert_true(file_identity_get(fixture->path, &identity));
	watch_set(&fixture->watch, fixture->path, &identity);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	(void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/test_watch.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/table", fixture->folder);
	(void)snprintf(fixture->other, sizeof(fixture->other), "%s/other", fixture->folder);
	write_file(fixture->path, "first");
	watch_init(&fixture->watch);
	load(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	watch_close(&fixture->watch);
	(void)unlink(fixture->path);
	(void)unlink(fixture->other);
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

static enum watch_event look(struct fixture *fixture)
{
	return watch_check(&fixture->watch, fixture->path, 1);
}

static void replace(struct fixture *fixture, const char *text)
{
	write_file(fixture->other, text);
	assert_int_equal(rename(fixture->other, fixture->path), 0);
}

static void a_rename_is_seen_once(void **state)
{
	assert_int_equal(look(*state), WATCH_SAME);
	replace(*state, "second");
	assert_int_equal(look(*state), WATCH_REPLACED);
	/* It didn't load: the same bytes are not tried again. */
	assert_int_equal(look(*state), WATCH_SAME);
	replace(*state, "third");
	assert_int_equal(look(*state), WATCH_REPLACED);
	load(*state);
	assert_int_equal(look(*state), WATCH_SAME);
}

static void a_replacement_in_between_is_seen_by_its_inode(void **state)
{
	/* Two renames between two looks may bring an inode number back, were it free. */
	for (int i = 0; i < 20; i++) {
		replace(*state, "a");
		replace(*state, "b");
		assert_int_equal(look(*state), WATCH_REPLACED);
		load(*state);
	}
}

static void a_change_in_place_is_not_adopted(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture->path, "changed in place");
	assert_int_equal(look(fixture), WATCH_CHANGED);
	assert_int_equal(look(fixture), WATCH_SAME);
	assert_int_equal(truncate(fixture->path, 3), 0);
	assert_int_equal(look(fixture), WATCH_CHANGED);
	replace(fixture, "renamed");
	assert_int_equal(look(fixture), WATCH_REPLACED);
}

static void other_owners_and_modes_are_no_change(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(chmod(fixture->path, 0400), 0);
	assert_int_equal(look(fixture), WATCH_SAME);
}

static void a_candidate_that_was_mended_is_tried_again(void **state)
{
	struct fixture *fixture = *state;

	replace(fixture, "second");
	assert_int_equal(look(fixture), WATCH_REPLACED);
	assert_int_equal(chmod(fixture->path, 0400), 0);
	assert_int_equal(look(fixture), WATCH_REPLACED);
}

static void a_missing_table_is_reported_now_and_then(void **state)
{
	struct fixture *fixture = *state;
	struct watch *watch = &fixture->watch;

	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(watch_check(watch, fixture->path, 1000), WATCH_MISSING);
	assert_int_equal(watch_check(watch, fixture->path, 1599), WATCH_SAME);
	assert_int_equal(watch_check(watch, fixture->path, 1600), WATCH_MISSING);
	write_file(fixture->path, "first");
	assert_int_equal(watch_check(watch, fixture->path, 1601), WATCH_REPLACED);
}

static void a_candidate_that_may_load_later_is_tried_again(void **state)
{
	struct fixture *fixture = *state;
	struct watch *watch = &fixture->watch;

	replace(fixture, "second");
	assert_int_equal(look(fixture), WATCH_REPLACED);
	watch_try_again(watch, 1);
	assert_int_equal(watch_check(watch, fixture->path, WATCH_RETRY_SECONDS), WATCH_SAME);
	assert_int_equal(watch_check(watch, fixture->path, 1 + WATCH_RETRY_SECONDS),
			 WATCH_REPLACED);
	/* Only as often as it is asked for. */
	assert_int_equal(watch_check(watch, fixture->path, 1000), WATCH_SAME);
	watch_try_again(watch, 1000);
	load(fixture);
	assert_int_equal(watch_check(watch, fixture->path, 2000), WATCH_SAME);
}

static void a_table_replaced_while_it_was_loaded_is_seen(void **state)
{
	struct fixture *fixture = *state;
	struct file_identity identity;

	assert_true(file_identity_get(fixture->path, &identity));
	replace(fixture, "second");
	watch_set(&fixture->watch, fixture->path, &identity);
	assert_int_equal(look(fixture), WATCH_REPLACED);
}

static void what_nobody_may_look_at_is_not_missing(void **state)
{
	struct fixture *fixture = *state;
	char below[128];
	char name[300]; /* too long: root may look at all others */

	(void)memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(watch_check(&fixture->watch, name, 1), WATCH_UNKNOWN);
	assert_int_equal(watch_check(&fixture->watch, name, 2), WATCH_UNKNOWN);
	(void)snprintf(below, sizeof(below), "%s/table", fixture->path);
	assert_int_equal(watch_check(&fixture->watch, below, 3), WATCH_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_rename_is_seen_once),
		TEST(a_replacement_in_between_is_seen_by_its_inode),
		TEST(a_change_in_place_is_not_adopted),
		TEST(other_owners_and_modes_are_no_change),
		TEST(a_candidate_that_was_mended_is_tried_again),
		TEST(a_candidate_that_may_load_later_is_tried_again),
		TEST(a_missing_table_is_reported_now_and_then),
		TEST(a_table_replaced_while_it_was_loaded_is_seen),
		TEST(what_nobody_may_look_at_is_not_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
