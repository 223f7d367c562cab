/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/worker_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One step, and where it has to lead. */
struct expected {
	enum worker_event event;
	enum worker_state state;
	enum worker_action action;
};

static enum worker_state walk(enum worker_state state, const struct expected *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct worker_step step = worker_step(state, steps[i].event);

		if (step.state != steps[i].state || step.action != steps[i].action)
			fail_msg("step %zu: state %d, action %d", i, step.state, step.action);
		state = step.state;
	}
	return state;
}

#define WALK(state, ...)                                                                           \
	walk(state, (const struct expected[]){ __VA_ARGS__ },                                      \
	     sizeof((const struct expected[]){ __VA_ARGS__ }) / sizeof(struct expected))

static bool has_process(enum worker_state state)
{
	return state != WORKER_ABSENT && state != WORKER_ENDED;
}

/* ---- one life after the other ---------------------------------------------------------- */

static void a_life_from_start_to_stop(void **state)
{
	(void)state;
	WALK(WORKER_ABSENT, { EVENT_DUE, WORKER_STARTING, ACTION_START },
	     { EVENT_READY, WORKER_SERVING, ACTION_SERVE },
	     { EVENT_STOP, WORKER_STOPPING, ACTION_STOP },
	     { EVENT_DIED, WORKER_STOPPING, ACTION_COUNT },
	     { EVENT_GONE, WORKER_ENDED, ACTION_NONE });
}

static void the_first_worker_that_fails_is_the_last(void **state)
{
	(void)state;
	WALK(WORKER_STARTING, { EVENT_NEVER_SERVED, WORKER_ENDED, ACTION_FAIL });
	/* A stop in between isn't a failure. */
	WALK(WORKER_STARTING, { EVENT_STOP, WORKER_STOPPING, ACTION_STOP },
	     { EVENT_NEVER_SERVED, WORKER_STOPPING, ACTION_COUNT },
	     { EVENT_GONE, WORKER_ENDED, ACTION_NONE });
}

static void one_that_never_begins_is_given_up(void **state)
{
	(void)state;
	WALK(WORKER_STARTING, { EVENT_DUE, WORKER_REPLACING, ACTION_GIVE_UP },
	     { EVENT_NEVER_SERVED, WORKER_ABSENT, ACTION_BURY },
	     { EVENT_DUE, WORKER_STARTING, ACTION_START });
	WALK(WORKER_STARTING, { EVENT_DUE, WORKER_REPLACING, ACTION_GIVE_UP },
	     { EVENT_DIED, WORKER_ABSENT, ACTION_BURY });
}

static void a_later_one_that_fails_is_followed(void **state)
{
	(void)state;
	WALK(WORKER_STARTING, { EVENT_DIED, WORKER_ABSENT, ACTION_BURY_BEGINNER },
	     { EVENT_DUE, WORKER_STARTING, ACTION_START },
	     { EVENT_NOT_STARTED, WORKER_ABSENT, ACTION_PLAN },
	     { EVENT_DUE, WORKER_STARTING, ACTION_START });
}

/* ---- reloads --------------------------------------------------------------------------- */

static void a_reload_takes_three_steps(void **state)
{
	(void)state;
	WALK(WORKER_SERVING, { EVENT_RELOAD, WORKER_RELOADING, ACTION_READ },
	     { EVENT_SETTINGS_READ, WORKER_RELOADING, ACTION_HAND_OVER },
	     { EVENT_RELOADED, WORKER_SERVING, ACTION_ADOPT });
}

static void a_bad_reload_changes_nothing(void **state)
{
	(void)state;
	WALK(WORKER_RELOADING, { EVENT_SETTINGS_BAD, WORKER_SERVING, ACTION_KEEP });
	WALK(WORKER_RELOADING, { EVENT_SETTINGS_READ, WORKER_RELOADING, ACTION_HAND_OVER },
	     { EVENT_KEPT, WORKER_SERVING, ACTION_KEEP });
}

static void reloads_are_for_a_worker_that_serves(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_STATES; from++)
		for (int event = 0; event < WORKER_EVENTS; event++) {
			struct worker_step step =
				worker_step((enum worker_state)from, (enum worker_event)event);

			if (step.action == ACTION_READ)
				assert_int_equal(from, WORKER_SERVING);
			/* What comes late is nobody's any more. */
			if (step.action == ACTION_HAND_OVER || step.action == ACTION_ADOPT ||
			    step.action == ACTION_KEEP)
				assert_int_equal(from, WORKER_RELOADING);
		}
}

/* ---- one worker hands over to the next ------------------------------------------------- */

static void the_next_one_begins_beside_the_worker(void **state)
{
	(void)state;
	WALK(WORKER_SERVING, { EVENT_SOCKET_RENEWED, WORKER_RENEWING, ACTION_START_NEXT },
	     { EVENT_NEXT_READY, WORKER_SERVING, ACTION_TURN_OVER });
	WALK(WORKER_RELOADING, { EVENT_SETTINGS_READ, WORKER_RELOADING, ACTION_HAND_OVER },
	     { EVENT_ANOTHER, WORKER_RENEWING, ACTION_START_NEXT },
	     { EVENT_NEXT_READY, WORKER_SERVING, ACTION_TURN_OVER });
}

static void where_the_next_one_fails_the_worker_serves_on(void **state)
{
	(void)state;
	WALK(WORKER_RENEWING, { EVENT_NOT_STARTED, WORKER_SERVING, ACTION_DROP_NEXT });
	WALK(WORKER_RENEWING, { EVENT_NEXT_DIED, WORKER_SERVING, ACTION_DROP_NEXT });
	WALK(WORKER_RENEWING, { EVENT_DUE, WORKER_RENEWING, ACTION_GIVE_UP_NEXT },
	     { EVENT_NEXT_DIED, WORKER_SERVING, ACTION_DROP_NEXT });
}

static void where_the_worker_fails_the_next_one_is_the_worker(void **state)
{
	(void)state;
	WALK(WORKER_RENEWING, { EVENT_DIED, WORKER_STARTING, ACTION_PROMOTE },
	     { EVENT_READY, WORKER_SERVING, ACTION_SERVE });
	WALK(WORKER_RENEWING, { EVENT_HUNG, WORKER_RENEWING, ACTION_KILL_WORKER },
	     { EVENT_DIED, WORKER_STARTING, ACTION_PROMOTE },
	     { EVENT_DIED, WORKER_ABSENT, ACTION_BURY_BEGINNER });
}

static void a_stop_waits_for_all_of_them(void **state)
{
	(void)state;
	WALK(WORKER_RENEWING, { EVENT_STOP, WORKER_STOPPING, ACTION_STOP },
	     { EVENT_NEXT_READY, WORKER_STOPPING, ACTION_NONE },
	     { EVENT_NEXT_DIED, WORKER_STOPPING, ACTION_COUNT },
	     { EVENT_RETIRED_DIED, WORKER_STOPPING, ACTION_COUNT },
	     { EVENT_DIED, WORKER_STOPPING, ACTION_COUNT },
	     { EVENT_GONE, WORKER_ENDED, ACTION_NONE });
}

static void a_retired_one_is_of_no_interest_before(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_STATES; from++)
		if (from != WORKER_STOPPING)
			assert_int_equal(
				worker_step((enum worker_state)from, EVENT_RETIRED_DIED).action,
				ACTION_NONE);
}

/* ---- a worker that has to go ----------------------------------------------------------- */

static void a_worker_that_serves_can_die_or_hang(void **state)
{
	static const enum worker_state serving[] = { WORKER_SERVING, WORKER_RELOADING };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		WALK(serving[i], { EVENT_DIED, WORKER_ABSENT, ACTION_BURY });
		WALK(serving[i], { EVENT_HUNG, WORKER_REPLACING, ACTION_KILL },
		     { EVENT_DIED, WORKER_ABSENT, ACTION_BURY });
	}
}

static void who_has_to_go_is_not_asked_again(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_STATES; from++)
		assert_int_equal(worker_state_serves((enum worker_state)from),
				 worker_step((enum worker_state)from, EVENT_HUNG).action !=
					 ACTION_NONE);
	WALK(WORKER_REPLACING, { EVENT_READY, WORKER_REPLACING, ACTION_NONE },
	     { EVENT_HUNG, WORKER_REPLACING, ACTION_NONE },
	     { EVENT_SOCKET_RENEWED, WORKER_REPLACING, ACTION_NONE });
}

/* ---- the end --------------------------------------------------------------------------- */

static void whoever_is_told_to_stop_ends(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_ENDED; from++) {
		struct worker_step step = worker_step((enum worker_state)from, EVENT_STOP);

		assert_int_equal(step.state, WORKER_STOPPING);
		step = worker_step(step.state, EVENT_GONE);
		assert_int_equal(step.state, WORKER_ENDED);
	}
}

static void a_stop_that_takes_too_long_kills(void **state)
{
	(void)state;
	WALK(WORKER_STOPPING, { EVENT_DUE, WORKER_STOPPING, ACTION_KILL_ALL },
	     { EVENT_STOP, WORKER_STOPPING, ACTION_KILL_ALL }, /* asked twice */
	     { EVENT_DIED, WORKER_STOPPING, ACTION_COUNT });
}

static void after_a_stop_nothing_starts(void **state)
{
	(void)state;
	for (int event = 0; event < WORKER_EVENTS; event++) {
		struct worker_step step = worker_step(WORKER_STOPPING, (enum worker_event)event);

		assert_true(step.state == WORKER_STOPPING || step.state == WORKER_ENDED);
		step = worker_step(WORKER_ENDED, (enum worker_event)event);
		assert_int_equal(step.state, WORKER_ENDED);
		assert_int_equal(step.action, ACTION_NONE);
	}
}

/* ---- what holds everywhere ------------------------------------------------------------- */

/* A process begins with its start alone, and ends with its death alone. */
static void no_process_is_lost(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_STATES; from++)
		for (int event = 0; event < WORKER_EVENTS; event++) {
			enum worker_state before = (enum worker_state)from;
			struct worker_step step = worker_step(before, (enum worker_event)event);
			bool is_end = event == EVENT_DIED || event == EVENT_NEVER_SERVED ||
				      event == EVENT_NOT_STARTED || event == EVENT_GONE;

			/* A stop asks who is there. */
			if (!has_process(before) && has_process(step.state))
				assert_true(step.action == ACTION_START ||
					    step.action == ACTION_STOP);
			if (has_process(before) && !has_process(step.state))
				assert_true(is_end);
		}
}

static void each_death_is_noticed(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_STATES; from++) {
		struct worker_step step;

		if (!has_process((enum worker_state)from))
			continue;
		step = worker_step((enum worker_state)from, EVENT_DIED);
		assert_true(!has_process(step.state) || step.action == ACTION_PROMOTE ||
			    step.action == ACTION_COUNT);
	}
}

static void nothing_happens_without_an_event(void **state)
{
	(void)state;
	for (int from = 0; from < WORKER_STATES; from++) {
		struct worker_step step = worker_step((enum worker_state)from, EVENT_NONE);

		assert_int_equal(step.state, from);
		assert_int_equal(step.action, ACTION_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_life_from_start_to_stop),
		cmocka_unit_test(the_first_worker_that_fails_is_the_last),
		cmocka_unit_test(one_that_never_begins_is_given_up),
		cmocka_unit_test(a_later_one_that_fails_is_followed),
		cmocka_unit_test(a_reload_takes_three_steps),
		cmocka_unit_test(a_bad_reload_changes_nothing),
		cmocka_unit_test(reloads_are_for_a_worker_that_serves),
		cmocka_unit_test(the_next_one_begins_beside_the_worker),
		cmocka_unit_test(where_the_next_one_fails_the_worker_serves_on),
		cmocka_unit_test(where_the_worker_fails_the_next_one_is_the_worker),
		cmocka_unit_test(a_stop_waits_for_all_of_them),
		cmocka_unit_test(a_retired_one_is_of_no_interest_before),
		cmocka_unit_test(a_worker_that_serves_can_die_or_hang),
		cmocka_unit_test(who_has_to_go_is_not_asked_again),
		cmocka_unit_test(whoever_is_told_to_stop_ends),
		cmocka_unit_test(a_stop_that_takes_too_long_kills),
		cmocka_unit_test(after_a_stop_nothing_starts),
		cmocka_unit_test(no_process_is_lost),
		cmocka_unit_test(each_death_is_noticed),
		cmocka_unit_test(nothing_happens_without_an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
