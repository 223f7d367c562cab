/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of a lasting error, and when, without waiting for an hour. */
#include "follow/complaint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOUR_MS = 3600000 };

static struct complaint complaint;

static int begin(void **state)
{
	(void)state;
	complaint_init(&complaint);
	return 0;
}

static int end(void **state)
{
	(void)state;
	complaint_free(&complaint);
	return 0;
}

static bool is_news(const char *text, int64_t now_ms)
{
	return complaint_is_news(&complaint, bytes_of(text), now_ms);
}

static void a_new_one_is_said_at_once(void **state)
{
	(void)state;
	assert_false(complaint_is_due(&complaint, INT64_MAX - 1));
	assert_true(is_news("one", 5));
	assert_true(bytes_equal(buffer_bytes(&complaint.text), bytes_of("one")));
	/* One that says nothing is one, too. */
	complaint_end(&complaint);
	assert_true(is_news("", 6));
	assert_false(is_news("", 7));
}

static void the_same_is_silent_and_comes_again_each_hour(void **state)
{
	(void)state;
	assert_true(is_news("one", 1000));
	for (int64_t now_ms = 1000; now_ms < 1000 + HOUR_MS; now_ms += 60000) {
		assert_false(is_news("one", now_ms));
		assert_false(complaint_is_due(&complaint, now_ms));
	}
	/* That it was tried again meanwhile puts nothing off. */
	assert_false(complaint_is_due(&complaint, 1000 + HOUR_MS - 1));
	assert_true(complaint_is_due(&complaint, 1000 + HOUR_MS));
	assert_false(complaint_is_due(&complaint, 1000 + HOUR_MS));
	assert_false(is_news("one", 1001 + HOUR_MS));
	/* From when it was said, not from when it should have been. */
	assert_true(complaint_is_due(&complaint, 5000 + 2 * HOUR_MS));
	assert_false(complaint_is_due(&complaint, 4999 + 3 * HOUR_MS));
	assert_true(complaint_is_due(&complaint, 5000 + 3 * HOUR_MS));
}

static void another_is_said_at_once_and_has_its_own_hour(void **state)
{
	(void)state;
	assert_true(is_news("one", 0));
	assert_true(is_news("two", HOUR_MS / 2));
	assert_false(is_news("two", HOUR_MS / 2));
	assert_false(complaint_is_due(&complaint, HOUR_MS));
	assert_true(complaint_is_due(&complaint, HOUR_MS / 2 + HOUR_MS));
	/* The one before is another, too. */
	assert_true(is_news("one", 2 * HOUR_MS));
}

static void what_is_mended_is_forgotten(void **state)
{
	(void)state;
	assert_true(is_news("one", 0));
	complaint_end(&complaint);
	assert_false(complaint_is_due(&complaint, 10 * HOUR_MS));
	assert_true(is_news("one", 10 * HOUR_MS));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_one_is_said_at_once, begin, end),
		cmocka_unit_test_setup_teardown(the_same_is_silent_and_comes_again_each_hour, begin,
						end),
		cmocka_unit_test_setup_teardown(another_is_said_at_once_and_has_its_own_hour, begin,
						end),
		cmocka_unit_test_setup_teardown(what_is_mended_is_forgotten, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
