/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens in the folder of a file that is watched wakes who polls. */
#include "scratch.h"

#include <poll.h>

#include "follow/hints.h"

static struct watched watched;
static struct hints hints;

static int begin(void **state)
{
	int result = scratch_begin(state);

	watched = (struct watched){ 0 };
	hints = HINTS_NONE;
	scratch_put_bytes("a", "1", 1);
	assert_true(watched_add(&watched, scratch_path("a")));
	hints_set(&hints, &watched);
	assert_true(hints.fd >= 0);
	return result;
}

static int end(void **state)
{
	hints_close(&hints);
	watched_free(&watched);
	return scratch_end(state);
}

static bool is_woken(void)
{
	struct pollfd ready = { .fd = hints.fd, .events = POLLIN };

	return poll(&ready, 1, 0) > 0;
}

/* Once, and then no more. */
static void assert_hinted(void)
{
	assert_true(is_woken());
	assert_true(hints_take(&hints));
	assert_false(is_woken());
	assert_false(hints_take(&hints));
}

static void each_way_to_change_a_file_is_a_hint(void **state)
{
	char old[PATH_MAX];

	(void)state;
	assert_false(is_woken());
	scratch_put_bytes("a", "22", 2);
	assert_hinted();
	assert_int_equal(unlink(scratch_path("a")), 0);
	assert_hinted();
	scratch_put_bytes("b", "1", 1);
	(void)hints_take(&hints);
	(void)snprintf(old, sizeof(old), "%s", scratch_path("b"));
	assert_int_equal(rename(old, scratch_path("a")), 0);
	assert_hinted();
	assert_int_equal(chmod(scratch_path("a"), 0600), 0);
	assert_hinted();
}

static void another_folder_is_another_matter(void **state)
{
	(void)state;
	assert_int_equal(mkdir(scratch_path("folder"), 0755), 0);
	(void)hints_take(&hints);
	scratch_put_bytes("folder/a", "1", 1);
	assert_false(is_woken());
	assert_true(watched_add(&watched, scratch_path("folder/a")));
	hints_set(&hints, &watched);
	scratch_put_bytes("folder/a", "22", 2);
	assert_hinted();
	hints_close(&hints);
	assert_false(hints_take(&hints));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_way_to_change_a_file_is_a_hint, begin, end),
		cmocka_unit_test_setup_teardown(another_folder_is_another_matter, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
