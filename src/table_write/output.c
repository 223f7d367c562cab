/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/output.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/file.h"

enum { PIECE_BYTES = 4 << 20 };

bool output_init(struct output *output, int fd, uint64_t position)
{
	*output = (struct output){ .fd = fd, .position = position };
	output->piece = malloc(PIECE_BYTES);
	output->sum = hash_stream_new();
	return output->piece != NULL && output->sum != NULL;
}

void output_free(struct output *output)
{
	free(output->piece);
	hash_stream_free(output->sum);
	*output = (struct output){ .fd = -1 };
}

static void flush(struct output *output)
{
	struct bytes piece = bytes_make(output->piece, output->used);

	output->used = 0;
	if (output->has_failed || piece.size == 0)
		return;
	hash_stream_add(output->sum, piece);
	if (!file_write_all(output->fd, piece)) {
		output->has_failed = true;
		output->error_number = errno;
	}
}

void output_add(struct output *output, struct bytes b)
{
	output->position += b.size;
	while (b.size > 0) {
		size_t room = PIECE_BYTES - output->used;
		struct bytes part = bytes_first(b, room);

		memcpy(output->piece + output->used, part.data, part.size);
		output->used += part.size;
		b = bytes_skip(b, part.size);
		if (output->used == PIECE_BYTES)
			flush(output);
	}
}

void output_align(struct output *output, size_t alignment)
{
	static const char zeros[4096];
	size_t over = output->position % alignment;

	if (over != 0)
		output_add(output, bytes_make(zeros, alignment - over));
}

bool output_finish(struct output *output, uint64_t *out_sum, struct error *err)
{
	flush(output);
	if (output->has_failed) {
		errno = output->error_number;
		return error_set_errno(err, EX_IOERR, "writing the table");
	}
	*out_sum = hash_stream_result(output->sum);
	return true;
}
