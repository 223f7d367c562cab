/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program that tests start: the clock that only goes forward is ahead by as many
 * seconds as the file has that CLOCK_AHEAD names, if there is one.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *out)
{
	const char *path = getenv("CLOCK_AHEAD");
	FILE *stream = path == NULL || clock != CLOCK_MONOTONIC ? NULL : fopen(path, "re");
	long seconds = 0;
	int result = (int)syscall(SYS_clock_gettime, clock, out);

	if (stream == NULL)
		return result;
	if (fscanf(stream, "%ld", &seconds) == 1)
		out->tv_sec += seconds;
	(void)fclose(stream); /* was only read */
	return result;
}
