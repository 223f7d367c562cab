/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/drain.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "base/clock.h"

enum { STEP_MS = 10 };

static _Atomic size_t messages;
static _Atomic size_t answers;
static _Atomic bool has_begun;
static _Atomic bool is_over;

static _Thread_local bool owes_answer;

bool drain_begin_message(void)
{
	/* Counted before the look at the flag: drain() does both the other way round. */
	(void)atomic_fetch_add(&messages, 1); /* its value is of no interest, here and below */
	if (!atomic_load(&has_begun))
		return true;
	(void)atomic_fetch_sub(&messages, 1);
	return false;
}

void drain_end_message(void)
{
	(void)atomic_fetch_sub(&messages, 1);
}

bool drain_has_begun(void)
{
	return atomic_load(&has_begun);
}

bool drain_begin_answer(void)
{
	drain_answered(); /* the last one could not be written */
	/* As in drain_begin_message(). */
	(void)atomic_fetch_add(&answers, 1);
	return !atomic_load(&is_over);
}

void drain_end_answer(void)
{
	owes_answer = true;
}

void drain_answered(void)
{
	if (!owes_answer)
		return;
	owes_answer = false;
	(void)atomic_fetch_sub(&answers, 1);
}

/* Until nothing of either is left, or until END_MS. */
static bool wait_until(const _Atomic size_t *one, const _Atomic size_t *other, int64_t end_ms)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	while (atomic_load(one) > 0 || atomic_load(other) > 0) {
		if (clock_milliseconds() >= end_ms)
			return false;
		(void)nanosleep(&step, NULL); /* shorter is as good */
	}
	return true;
}

bool drain(int limit_ms, int last_ms)
{
	atomic_store(&has_begun, true);
	if (wait_until(&messages, &answers, clock_milliseconds() + limit_ms))
		return true;
	atomic_store(&is_over, true);
	(void)wait_until(&answers, &answers, clock_milliseconds() + last_ms); /* or it isn't well */
	return atomic_load(&messages) == 0 && atomic_load(&answers) == 0;
}
