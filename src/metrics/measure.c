/* SPDX-License-Identifier: BSD-2-Clause */
#include "metrics/measure.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "message/counters.h"
#include "service/log.h"

/* Kept open: where the sandbox is, nobody opens them. */
static struct {
	int memory_fd;
	DIR *descriptors;
} sources = { .memory_fd = -1 };

void measure_open(void)
{
	sources.memory_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	sources.descriptors = opendir("/proc/self/fd");
}

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
	char line[256];
	ssize_t size = pread(sources.memory_fd, line, sizeof(line) - 1, 0);
	const char *second;

	if (size <= 0)
		return;
	line[size] = '\0';
	/* In pages: the size, and what of it is in memory. */
	second = strchr(line, ' ');
	if (second != NULL)
		counter_set(COUNTER_PROCESS_RESIDENT_BYTES,
			    strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE));
}

static void measure_descriptors(void)
{
	struct rlimit files;
	uint64_t count = 0;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		counter_set(COUNTER_PROCESS_MAX_DESCRIPTORS, files.rlim_cur);
	if (sources.descriptors == NULL)
		return;
	rewinddir(sources.descriptors);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else has this folder open */
	while (readdir(sources.descriptors) != NULL)
		count++;
	/* But for `.` and `..`. */
	counter_set(COUNTER_PROCESS_DESCRIPTORS, count > 2 ? count - 2 : 0);
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
