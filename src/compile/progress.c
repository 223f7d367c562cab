/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/progress.h"

void progress_init(struct progress *progress, FILE *stream)
{
	*progress = (struct progress){ .stream = stream };
	(void)clock_gettime(CLOCK_MONOTONIC, &progress->begin); /* every Linux has it */
}

static bool is_long(const struct progress *progress)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* every Linux has it */
	return now.tv_sec - progress->begin.tv_sec > 1;
}

static void show(struct progress *progress, const char *what)
{
	if (progress->stream == NULL || !is_long(progress))
		return;
	(void)fprintf(progress->stream, "\r%llu entries, %-12s", /* it is only a display */
		      (unsigned long long)progress->rows, what);
	(void)fflush(progress->stream);
	progress->is_shown = true;
}

void progress_show(struct progress *progress)
{
	show(progress, "reading");
}

void progress_phase(struct progress *progress, const char *name)
{
	show(progress, name);
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown)
		(void)fputs("\r                                        \r", progress->stream);
}
