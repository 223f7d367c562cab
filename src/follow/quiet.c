/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/quiet.h"

void quiet_break(struct quiet *quiet, int64_t now_ms)
{
	int64_t most_ms;

	if (quiet->since_ms == 0)
		quiet->since_ms = now_ms;
	most_ms = quiet->since_ms + QUIET_MOST_MS;
	quiet->due_ms = now_ms + QUIET_MS < most_ms ? now_ms + QUIET_MS : most_ms;
}

bool quiet_is_over(const struct quiet *quiet, int64_t now_ms)
{
	return quiet->since_ms != 0 && now_ms >= quiet->due_ms;
}

void quiet_end(struct quiet *quiet)
{
	quiet->since_ms = 0;
}
