/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <time.h>

static struct timespec now(void)
{
	struct timespec at = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &at); /* every Linux has this clock */
	return at;
}

int64_t clock_seconds(void)
{
	return now().tv_sec;
}

int64_t clock_milliseconds(void)
{
	struct timespec at = now();

	return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

int64_t clock_microseconds(void)
{
	struct timespec at = now();

	return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}
