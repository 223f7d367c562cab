/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start_pace - how soon a worker follows one that died.
 *
 * At once, unless one after the other dies early: then the pause doubles, up to a limit that keeps
 * the service back within a second once its trouble is over. Pure: times are the caller's.
 */
#ifndef OPENRCPTD_START_PACE_H
#define OPENRCPTD_START_PACE_H

enum {
	START_PACE_EARLY_MS = 1000, /* who lives shorter has died early */
	START_PACE_FIRST_MS = 100,
	START_PACE_LONGEST_MS = 800,
};

struct start_pace {
	long pause_ms; /* before the next start, if the last one dies early; begins with 0 */
};

/* How many milliseconds to wait before the next start, after a worker that lived for LIVED_MS. */
long start_pace_next(struct start_pace *pace, long long lived_ms);

#endif
