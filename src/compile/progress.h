/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress - one line on a terminal, while a long compilation runs.
 */
#ifndef COMPILE_PROGRESS_H
#define COMPILE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { PROGRESS_ROWS = 1 << 18 }; /* a look at the time each */

struct progress {
	FILE *stream; /* NULL: shows nothing */
	uint64_t rows;
	int64_t began_seconds;
	bool is_shown;
};

/* Nothing is shown in the first second: short compilations stay silent. */
void progress_init(struct progress *progress, FILE *stream);
void progress_show(struct progress *progress);
static inline void progress_step(struct progress *progress)
{
	if (++progress->rows % PROGRESS_ROWS == 0)
		progress_show(progress);
}
void progress_phase(struct progress *progress, const char *name);
void progress_end(struct progress *progress);

#endif
