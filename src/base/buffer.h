/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer - bytes that grow, up to a largest size given at the start.
 *
 * A failed append (no memory, limit) leaves the contents as they were and marks the buffer as
 * failed, so that a run of appends can be checked once at its end. Owned by one thread.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct buffer {
	char *data;
	size_t size;
	size_t room;
	size_t limit;
	bool has_failed;
	bool was_short_of_memory; /* that was why, not the limit */
};

void buffer_init(struct buffer *buffer, size_t limit_bytes);
bool buffer_append(struct buffer *buffer, struct bytes b);
bool buffer_append_text(struct buffer *buffer, const char *text);
bool buffer_append_byte(struct buffer *buffer, char byte);
bool buffer_append_number(struct buffer *buffer, uint64_t number); /* decimal */
bool buffer_append_format(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Put B in at OFFSET, which is at most the size; what was behind it moves. */
bool buffer_insert(struct buffer *buffer, size_t offset, struct bytes b);

/* SIZE bytes more at the end, to be filled by the caller; NULL on failure. */
char *buffer_extend(struct buffer *buffer, size_t size);

/* What is in it, good until the next append; a NUL stands behind it unless it is empty. */
struct bytes buffer_bytes(const struct buffer *buffer);

/* Call it where FROM becomes part of TO: if FROM has failed, TO has failed too. */
void buffer_take_failure(struct buffer *to, const struct buffer *from);

/* Empty it and forget a failure; keeps its memory. */
void buffer_clear(struct buffer *buffer);

/* End it; usable again as after buffer_init(). */
void buffer_free(struct buffer *buffer);

#endif
