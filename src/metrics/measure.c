/* SPDX-License-Identifier: BSD-2-Clause */
#include "metrics/measure.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "message/counters.h"
#include "service/log.h"

static void measure_cpu(void)
{
	struct rusage usage;
	long long ms;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	ms = (long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	     (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
	counter_set(COUNTER_PROCESS_CPU_MS, (uint64_t)ms);
}

static void measure_memory(void)
{
	FILE *stream = fopen("/proc/self/statm", "re");
	char line[256];
	const char *second;

	if (stream == NULL)
		return;
	/* In pages: the size, and what of it is in memory. */
	second = fgets(line, sizeof(line), stream) == NULL ? NULL : strchr(line, ' ');
	if (second != NULL)
		counter_set(COUNTER_PROCESS_RESIDENT_BYTES,
			    strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE));
	(void)fclose(stream); /* was only read */
}

static void measure_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	struct rlimit files;
	uint64_t count = 0;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		counter_set(COUNTER_PROCESS_MAX_DESCRIPTORS, files.rlim_cur);
	if (folder == NULL)
		return;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else has this folder open */
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder); /* was only read */
	/* But for `.`, `..` and the folder's own. */
	counter_set(COUNTER_PROCESS_DESCRIPTORS, count > 3 ? count - 3 : 0);
}

void measure_log(void)
{
	static uint64_t told_stalled, told_limited;
	uint64_t stalled = log_dropped();
	uint64_t limited = log_left_out();

	counter_add(COUNTER_LOG_STALLED, stalled - told_stalled);
	counter_add(COUNTER_LOG_LIMITED, limited - told_limited);
	told_stalled = stalled;
	told_limited = limited;
}

void measure_process(void)
{
	measure_cpu();
	measure_memory();
	measure_descriptors();
}
