/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output - a file written front to back in large aligned pieces, with its checksum on the way.
 */
#ifndef TABLE_WRITE_OUTPUT_H
#define TABLE_WRITE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

struct output {
	int fd;
	unsigned char *piece;
	size_t used;
	uint64_t position; /* in the file, of what comes next */
	struct hash_stream *sum;
	bool has_failed; /* errno of the failure is in error_number */
	int error_number;
};

/* Begin at the descriptor's offset, which is POSITION. False: no memory. */
bool output_init(struct output *output, int fd, uint64_t position);
void output_free(struct output *output);

/* Append; a failure is remembered and shown by output_finish(). */
void output_add(struct output *output, struct bytes b);

/* Zeros up to the next multiple of ALIGNMENT. */
void output_align(struct output *output, size_t alignment);
bool output_finish(struct output *output, uint64_t *out_sum, struct error *err);

#endif
