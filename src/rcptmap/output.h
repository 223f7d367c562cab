/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output - standard output in large pieces.
 *
 * Append to `text`; call output_advance() after each line and output_finish() at the end. Only the
 * result of output_finish() has to be looked at, but a long loop should end when the others say
 * that nobody can read what follows.
 */
#ifndef RCPTMAP_OUTPUT_H
#define RCPTMAP_OUTPUT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

struct output {
	struct buffer text;
	int fd;
	int error_number; /* of the write that failed; 0: none did */
};

void output_init(struct output *output, int fd);

/* Write if there is enough to be worth it. False: nothing can be written any more. */
bool output_advance(struct output *output);

/* Write what there is. */
bool output_flush(struct output *output);

/* Write what there is, end it, and tell whether everything was written: status 74, else 71. */
bool output_finish(struct output *output, struct error *err);

#endif
