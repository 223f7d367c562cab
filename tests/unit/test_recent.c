/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message/counters.h"

static struct recent_counts counts(int64_t at, uint64_t recipients, uint64_t deferred)
{
	return (struct recent_counts){ .at = at, .recipients = recipients, .deferred = deferred };
}

static struct recent begun(int64_t at, uint64_t recipients, uint64_t deferred)
{
	const struct recent_counts now = counts(at, recipients, deferred);
	struct recent recent;

	recent_init(&recent, &now);
	return recent;
}

static void note(struct recent *recent, struct recent_counts now)
{
	recent_note(recent, &now);
}

static void assert_since(const struct recent *recent, struct recent_counts now, int64_t seconds,
			 uint64_t recipients, uint64_t deferred)
{
	struct recent_counts since = recent_since(recent, &now);

	assert_int_equal(since.at, seconds);
	assert_int_equal(since.recipients, recipients);
	assert_int_equal(since.deferred, deferred);
}

static void from_the_beginning_on_at_first(void **state)
{
	struct recent recent = begun(1000, 70, 7);

	(void)state;
	assert_since(&recent, counts(1000, 70, 7), 0, 0, 0);
	assert_since(&recent, counts(1005, 73, 8), 5, 3, 1);
	for (int64_t at = 1001; at <= 1899; at++)
		note(&recent, counts(at, 70 + (uint64_t)at, 7));
	assert_since(&recent, counts(1899, 5000, 9), 899, 4930, 2);
}

static void what_is_older_is_forgotten(void **state)
{
	struct recent recent = begun(0, 0, 0);

	(void)state;
	/* A bad minute, and then one recipient a second, for longer than the ring is. */
	for (int64_t at = 1; at <= 3600; at++)
		note(&recent, counts(at, 1000 + (uint64_t)at, 1000));
	assert_since(&recent, counts(3600, 4600, 1000), 900, 900, 0);
	/* Between two notes a little more than the time is told, and never less. */
	assert_since(&recent, counts(3659, 4659, 1000), 959, 959, 0);
	/* And a bad minute after a good hour is seen at once. */
	assert_since(&recent, counts(3660, 4660, 1900), 900, 900, 900);
}

static void a_long_gap_is_told_as_it_is(void **state)
{
	struct recent recent = begun(0, 0, 0);

	(void)state;
	note(&recent, counts(60, 10, 0));
	assert_since(&recent, counts(100000, 30, 5), 99940, 20, 5);
	note(&recent, counts(100000, 30, 5));
	assert_since(&recent, counts(100010, 31, 6), 99950, 21, 6);
	note(&recent, counts(100900, 32, 6));
	assert_since(&recent, counts(100901, 32, 6), 901, 2, 1);
}

static void each_verdict_is_a_recipient(void **state)
{
	struct recent_counts before = recent_counters(5);
	struct recent_counts now;

	(void)state;
	for (int i = COUNTER_RECIPIENTS_FOREIGN; i <= COUNTER_RECIPIENTS_DISCARD; i++)
		counter_add((enum counter)i, 2);
	counter_add(COUNTER_RECIPIENTS_DEFER, 1);
	counter_add(COUNTER_DEFERRALS_LOOP, 3);
	counter_add(COUNTER_MESSAGES_EDITED, 9);
	now = recent_counters(6);
	assert_int_equal(now.at, 6);
	assert_int_equal(now.recipients - before.recipients, 15);
	assert_int_equal(now.deferred - before.deferred, 3);
	assert_int_equal(now.messages - before.messages, 9);
	assert_int_equal(now.messages_deferred - before.messages_deferred, 0);
}

static void who_is_turned_away_is_a_recipient(void **state)
{
	struct recent_counts before = recent_counters(5);
	struct recent_counts now;

	(void)state;
	counter_add(COUNTER_DEFERRALS_NO_TABLE, 2);
	counter_add(COUNTER_DEFERRALS_SESSIONS, 3);
	now = recent_counters(6);
	assert_int_equal(now.recipients - before.recipients, 5);
	assert_int_equal(now.deferred - before.deferred, 5);
}

static void a_message_is_deferred_at_its_end(void **state)
{
	const struct recent_counts before = recent_counters(5);
	struct recent_counts now;
	struct recent recent;

	(void)state;
	recent_init(&recent, &before);
	for (int i = COUNTER_MESSAGES_UNCHANGED; i <= COUNTER_MESSAGES_DEFERRED; i++)
		counter_add((enum counter)i, 2);
	now = recent_counters(6);
	now = recent_since(&recent, &now);
	assert_int_equal(now.messages, 8);
	assert_int_equal(now.messages_deferred, 2);
	assert_int_equal(now.recipients, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_beginning_on_at_first),
		cmocka_unit_test(what_is_older_is_forgotten),
		cmocka_unit_test(a_long_gap_is_told_as_it_is),
		cmocka_unit_test(each_verdict_is_a_recipient),
		cmocka_unit_test(who_is_turned_away_is_a_recipient),
		cmocka_unit_test(a_message_is_deferred_at_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
