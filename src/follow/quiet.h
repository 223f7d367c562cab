/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quiet - wait until changes that come one after the other have come to an end; but not for ever.
 *
 * It decides, and waits for nothing itself. NOW_MS is of a clock that never goes back, and not 0.
 */
#ifndef FOLLOW_QUIET_H
#define FOLLOW_QUIET_H

#include <stdbool.h>
#include <stdint.h>

enum {
	QUIET_MS = 250,       /* changes that come closer are one */
	QUIET_MOST_MS = 5000, /* if they never end */
};

/* All zero: nothing has changed. */
struct quiet {
	int64_t since_ms; /* the first change; 0: there was none */
	int64_t due_ms;   /* when they count as over */
};

/* Something has changed now. */
void quiet_break(struct quiet *quiet, int64_t now_ms);

/* Did anything change, and is it over? */
bool quiet_is_over(const struct quiet *quiet, int64_t now_ms);

/* Wait for another change. */
void quiet_end(struct quiet *quiet);

#endif
