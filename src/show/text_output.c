/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/text_output.h"

#include <errno.h>
#include <stdint.h>
#include <sysexits.h>
#include <unistd.h>

enum { WORTH_BYTES = 128 * 1024 };

void sink_init(struct sink *sink, int fd)
{
	*sink = (struct sink){ .fd = fd };
	buffer_init(&sink->text, SIZE_MAX / 4);
}

bool sink_flush(struct sink *sink)
{
	struct bytes rest = buffer_bytes(&sink->text);

	while (rest.size > 0 && sink->error_number == 0) {
		ssize_t written = write(sink->fd, rest.data, rest.size);

		if (written >= 0)
			rest = bytes_skip(rest, (size_t)written);
		else if (errno != EINTR)
			sink->error_number = errno;
	}
	sink->text.size = 0; /* unlike buffer_clear(), remembers a failure */
	return sink->error_number == 0 && !sink->text.has_failed;
}

bool sink_advance(struct sink *sink)
{
	if (sink->text.size < WORTH_BYTES && !sink->text.has_failed)
		return true;
	return sink_flush(sink);
}

bool sink_finish(struct sink *sink, struct error *err)
{
	bool is_written = sink_flush(sink);
	bool lacks_memory = sink->text.has_failed;
	int error_number = sink->error_number;

	buffer_free(&sink->text);
	if (is_written)
		return true;
	if (error_number == 0 && lacks_memory)
		return error_set_memory(err);
	errno = error_number;
	(void)error_set_errno(err, EX_IOERR, "standard output");
	/* Whoever closed the pipe, as head(1) does, has seen enough. */
	if (error_number == EPIPE && err != NULL)
		err->text[0] = '\0';
	return false;
}
