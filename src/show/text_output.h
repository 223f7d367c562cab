/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink - standard output in large pieces.
 *
 * Append to `text`; call sink_advance() after each line and sink_finish() at the end. Only the
 * result of sink_finish() has to be looked at, but a long loop should end when the others say
 * that nobody can read what follows.
 */
#ifndef SHOW_TEXT_OUTPUT_H
#define SHOW_TEXT_OUTPUT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

struct sink {
	struct buffer text;
	int fd;
	int error_number; /* of the write that failed; 0: none did */
};

void sink_init(struct sink *sink, int fd);

/* Write if there is enough to be worth it. False: nothing can be written any more. */
bool sink_advance(struct sink *sink);

/* Write what there is. */
bool sink_flush(struct sink *sink);

/* Write what there is, end it, and tell whether everything was written: status 74, else 71. */
bool sink_finish(struct sink *sink, struct error *err);

#endif
