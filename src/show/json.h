/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json - write JSON text (RFC 8259) straight into a buffer.
 *
 * Commas come by themselves. Text that isn't UTF-8 gets U+FFFD for each bad byte, so that a reader
 * never chokes on what a client sent. Failures are the buffer's.
 */
#ifndef SHOW_JSON_H
#define SHOW_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"

struct json {
	struct buffer *out;
	bool needs_comma;
};

void json_init(struct json *json, struct buffer *out);
void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);

/* A name is one of our own words: written as it is. */
void json_name(struct json *json, const char *name);
void json_string(struct json *json, struct bytes text);
/* What TEXT holds; if something is missing in it, that fails here, too. */
void json_printed(struct json *json, const struct buffer *text);
void json_number(struct json *json, uint64_t number);
void json_boolean(struct json *json, bool value);
void json_null(struct json *json);

/* A value that was written already, elsewhere. */
void json_written(struct json *json, struct bytes value);

#endif
