/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_program - run a program to its end: input in, output and complaints out.
 *
 * Through files, so that neither side can wait for the other. For commands that end; never for the
 * daemon. One thread.
 */
#ifndef POSTFIX_POSTFIX_PROGRAM_H
#define POSTFIX_POSTFIX_PROGRAM_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

struct program_output {
	struct buffer text;       /* its standard output */
	struct buffer complaints; /* its standard error */
	int status;               /* as a shell has it: 128 and more for a signal */
};

void program_output_init(struct program_output *output);
void program_output_free(struct program_output *output);

/* Run WORDS (ended by NULL), found by PATH, and replace what OUTPUT has. False: it could not be
 * run at all; status 69 where there is no such program. */
bool program_run(const char *const *words, struct bytes input, struct program_output *output,
		 struct error *err);

/* The last line that it complained with; empty: none. */
struct bytes program_last_complaint(const struct program_output *output);

#endif
