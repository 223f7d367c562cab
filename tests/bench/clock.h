/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - what time something took, and the middle of several takes.
 *
 * CPU time of the calling thread is what a look-up is measured in: being descheduled on a shared
 * machine doesn't count.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdlib.h>
#include <time.h>

static inline double clock_read_ns(clockid_t which)
{
	struct timespec at;

	(void)clock_gettime(which, &at); /* both clocks exist on Linux */
	return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

static inline double clock_thread_ns(void)
{
	return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

static inline double clock_wall_ns(void)
{
	return clock_read_ns(CLOCK_MONOTONIC);
}

static inline int clock_compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts VALUES: the least is the first afterwards, the most the last. */
static inline double clock_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), clock_compare);
	return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

#endif
