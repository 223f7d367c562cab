/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_input - lines from a descriptor, in batches, without a copy or a system call a line.
 *
 * Before it waits for more input, it writes what is in the output, so that a program that asks and
 * waits for each answer gets it.
 */
#ifndef SHOW_TEXT_INPUT_H
#define SHOW_TEXT_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"
#include "show/text_output.h"

struct text_input {
	int fd;
	struct text_output *output;
	char *block;
	size_t begin; /* of what was not handed out yet */
	size_t end;
	bool is_at_end;
	bool is_inside_long_line;
};

bool text_input_init(struct text_input *input, int fd, struct text_output *output,
		     struct error *err);
void text_input_free(struct text_input *input);

/*
 * Hand out up to MOST lines, without their line ends (LF or CR LF); none: there are no more. The
 * last may lack its line end. Of a line longer than TEXT_INPUT_BLOCK_BYTES only the beginning is
 * seen. Views live until the next call. False: reading failed, status 74.
 */
bool text_input_next(struct text_input *input, size_t most, struct bytes *out_lines,
		     size_t *out_count, struct error *err);

enum { TEXT_INPUT_BLOCK_BYTES = 256 * 1024 };

#endif
