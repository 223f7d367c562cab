/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_output - standard output in large pieces.
 *
 * Append to `text`; call text_output_advance() after each line and text_output_finish() at the end.
 * Only the result of text_output_finish() has to be looked at, but a long loop should end when the
 * others say that nobody can read what follows. A line that lacks something, for want of memory, is
 * never written, nor is what follows it.
 */
#ifndef SHOW_TEXT_OUTPUT_H
#define SHOW_TEXT_OUTPUT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"

struct text_output {
	struct buffer text;
	size_t whole; /* bytes of text that are whole lines */
	int fd;
	int error_number; /* of the write that failed; 0: none did */
};

void text_output_init(struct text_output *output, int fd);

/* Write if there is enough to be worth it. False: nothing can be written any more. */
bool text_output_advance(struct text_output *output);

/* Write what there is. */
bool text_output_flush(struct text_output *output);

/* Write what there is, end it, and tell whether everything was written: status 74, else 71. */
bool text_output_finish(struct text_output *output, struct error *err);

#endif
