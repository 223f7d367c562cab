/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure - run a program and say what it took.
 *
 *   measure RESULT PROGRAM [ARGUMENT…]
 *
 * RESULT gets one line of JSON. A program of its own, since what the kernel says of a process's
 * largest memory includes that of the one it was forked from: this one is small. Of that memory,
 * pages of files are the kernel's to drop: what is the program's own is looked at every few
 * milliseconds, so a short peak may be missed.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* KiB of memory that stands for no file; 0: can't tell. */
static long anonymous_kib(pid_t process)
{
	char path[64], line[256];
	long kib = 0;
	FILE *status;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)process);
	status = fopen(path, "re");
	if (status == NULL)
		return 0;
	while (fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtol(line + 8, NULL, 10);
	(void)fclose(status); /* it was only read */
	return kib;
}

/* Wait for CHILD, and watch it. False: it can't be waited for. */
static bool watch(pid_t child, int *out_status, struct rusage *out_usage, long *out_kib)
{
	const struct timespec pause = { .tv_nsec = 3000000 };
	pid_t ended;

	*out_kib = 0;
	while ((ended = wait4(child, out_status, WNOHANG, out_usage)) == 0) {
		long kib = anonymous_kib(child);

		if (kib > *out_kib)
			*out_kib = kib;
		(void)nanosleep(&pause, NULL); /* a shorter one is as well */
	}
	return ended == child;
}

int main(int argc, char **argv)
{
	double start = clock_wall_ns();
	struct rusage usage;
	FILE *result;
	double wall;
	long anonymous;
	int status;
	pid_t child;

	if (argc < 3)
		return 64;
	child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (child < 0 || !watch(child, &status, &usage, &anonymous))
		return 71;
	wall = (clock_wall_ns() - start) / 1e9;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result = fopen(argv[1], "we");
	if (result == NULL ||
	    fprintf(result,
		    "{\"status\": %d, \"wall_s\": %.4f, \"user_s\": %.4f, \"system_s\": %.4f, "
		    "\"rss_kib\": %ld, \"anonymous_kib\": %ld}\n",
		    status, wall, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss,
		    anonymous) < 0 ||
	    fclose(result) != 0)
		return 73;
	return status;
}
