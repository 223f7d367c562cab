/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/start_pace.h"

long start_pace_next(struct start_pace *pace, long long lived_ms)
{
	long pause_ms = lived_ms >= START_PACE_EARLY_MS ? 0 : pace->pause_ms;

	pace->pause_ms = pause_ms == 0 ? START_PACE_FIRST_MS : 2 * pause_ms;
	if (pace->pause_ms > START_PACE_LONGEST_MS)
		pace->pause_ms = START_PACE_LONGEST_MS;
	return pause_ms;
}
