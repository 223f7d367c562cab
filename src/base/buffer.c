/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_ROOM = 256 };

void buffer_init(struct buffer *buffer, size_t limit_bytes)
{
	*buffer = (struct buffer){ .limit = limit_bytes };
}

static bool make_room(struct buffer *buffer, size_t more)
{
	size_t room = buffer->room < FIRST_ROOM ? FIRST_ROOM : buffer->room;
	size_t needed = buffer->size + more + 1;
	char *data;

	if (more > buffer->limit || buffer->size > buffer->limit - more)
		return false;
	if (needed <= buffer->room)
		return true;
	while (room < needed)
		room *= 2;
	data = realloc(buffer->data, room);
	buffer->was_short_of_memory |= data == NULL;
	if (data == NULL)
		return false;
	buffer->data = data;
	buffer->room = room;
	return true;
}

char *buffer_extend(struct buffer *buffer, size_t size)
{
	char *at;

	if (!make_room(buffer, size)) {
		buffer->has_failed = true;
		return NULL;
	}
	at = buffer->data + buffer->size;
	buffer->size += size;
	buffer->data[buffer->size] = '\0';
	return at;
}

bool buffer_append(struct buffer *buffer, struct bytes b)
{
	char *at = buffer_extend(buffer, b.size);

	if (at == NULL)
		return false;
	if (b.size > 0)
		memcpy(at, b.data, b.size);
	return true;
}

bool buffer_append_text(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, bytes_of(text));
}

bool buffer_append_byte(struct buffer *buffer, char byte)
{
	return buffer_append(buffer, bytes_make(&byte, 1));
}

bool buffer_append_number(struct buffer *buffer, uint64_t number)
{
	char digits[20];
	size_t first = sizeof(digits);

	do
		digits[--first] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	return buffer_append(buffer, bytes_make(digits + first, sizeof(digits) - first));
}

bool buffer_append_format(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	int size;
	char *at;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	at = size < 0 ? NULL : buffer_extend(buffer, (size_t)size);
	if (at == NULL) {
		buffer->has_failed = true;
		return false;
	}
	va_start(arguments, format);
	(void)vsnprintf(at, (size_t)size + 1, format, arguments); /* measured above */
	va_end(arguments);
	return true;
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
	return bytes_make(buffer->data, buffer->size);
}

void buffer_take_failure(struct buffer *to, const struct buffer *from)
{
	to->has_failed |= from->has_failed;
	to->was_short_of_memory |= from->was_short_of_memory;
}

void buffer_clear(struct buffer *buffer)
{
	buffer->size = 0;
	buffer->has_failed = false;
	buffer->was_short_of_memory = false;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	buffer_init(buffer, buffer->limit);
}

bool buffer_insert(struct buffer *buffer, size_t offset, struct bytes b)
{
	size_t moved = buffer->size - offset;

	if (buffer_extend(buffer, b.size) == NULL)
		return false;
	memmove(buffer->data + offset + b.size, buffer->data + offset, moved);
	bytes_copy(buffer->data + offset, b.data, b.size);
	return true;
}
