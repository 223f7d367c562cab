/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/progress.h"

#include "base/clock.h"

void progress_init(struct progress *progress, FILE *stream)
{
	*progress = (struct progress){ .stream = stream };
	progress->began_seconds = clock_seconds();
}

static bool is_long(const struct progress *progress)
{
	return clock_seconds() - progress->began_seconds > 1;
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
