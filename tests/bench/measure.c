/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure - run a program and say what it took.
 *
 *   measure RESULT PROGRAM [ARGUMENT…]
 *
 * RESULT gets one line of JSON. A program of its own, since what the kernel says of a process's
 * largest memory includes that of the one it was forked from: this one is small.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	double start = clock_wall_ns();
	struct rusage usage;
	FILE *result;
	double wall;
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
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 71;
	wall = (clock_wall_ns() - start) / 1e9;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result = fopen(argv[1], "we");
	if (result == NULL ||
	    fprintf(result,
		    "{\"status\": %d, \"wall_s\": %.4f, \"user_s\": %.4f, \"system_s\": %.4f, "
		    "\"rss_kib\": %ld}\n",
		    status, wall, seconds(usage.ru_utime), seconds(usage.ru_stime),
		    usage.ru_maxrss) < 0 ||
	    fclose(result) != 0)
		return 73;
	return status;
}
