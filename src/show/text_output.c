/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/text_output.h"

#include <errno.h>
#include <stdint.h>
#include <sysexits.h>
#include <unistd.h>

enum { WORTH_BYTES = 128 * 1024 };

void text_output_init(struct text_output *output, int fd)
{
	*output = (struct text_output){ .fd = fd };
	buffer_init(&output->text, SIZE_MAX / 4);
}

bool text_output_flush(struct text_output *output)
{
	struct bytes rest = buffer_bytes(&output->text);

	/* An append without memory leaves a gap, and a line with a gap says something else. */
	if (output->text.has_failed)
		rest.size = output->whole;
	while (rest.size > 0 && output->error_number == 0) {
		ssize_t written = write(output->fd, rest.data, rest.size);

		if (written >= 0)
			rest = bytes_skip(rest, (size_t)written);
		else if (errno != EINTR)
			output->error_number = errno;
	}
	output->text.size = 0; /* unlike buffer_clear(), remembers a failure */
	output->whole = 0;
	return output->error_number == 0 && !output->text.has_failed;
}

bool text_output_advance(struct text_output *output)
{
	if (output->text.has_failed)
		return text_output_flush(output);
	output->whole = output->text.size;
	return output->text.size < WORTH_BYTES || text_output_flush(output);
}

bool text_output_finish(struct text_output *output, struct error *err)
{
	bool is_written = text_output_flush(output);
	bool lacks_memory = output->text.has_failed;
	int error_number = output->error_number;

	buffer_free(&output->text);
	if (is_written)
		return true;
	if (error_number == 0 && lacks_memory)
		return error_set_memory(err);
	errno = error_number;
	error_fill_errno(err, EX_IOERR, "standard output");
	/* Whoever closed the pipe, as head(1) does, has seen enough. */
	if (error_number == EPIPE && err != NULL)
		err->text[0] = '\0';
	return false;
}
