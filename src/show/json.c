/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/json.h"

#include <unistr.h>

void json_init(struct json *json, struct buffer *out)
{
	*json = (struct json){ .out = out };
}

/* Every append may fail; the buffer remembers, and its owner asks once. */
static void put(struct json *json, struct bytes b)
{
	(void)buffer_append(json->out, b);
}

static void put_byte(struct json *json, char byte)
{
	(void)buffer_append_byte(json->out, byte);
}

static void begin_value(struct json *json)
{
	if (json->needs_comma)
		put_byte(json, ',');
	json->needs_comma = true;
}

void json_object_begin(struct json *json)
{
	begin_value(json);
	put_byte(json, '{');
	json->needs_comma = false;
}

void json_object_end(struct json *json)
{
	put_byte(json, '}');
	json->needs_comma = true;
}

void json_array_begin(struct json *json)
{
	begin_value(json);
	put_byte(json, '[');
	json->needs_comma = false;
}

void json_array_end(struct json *json)
{
	put_byte(json, ']');
	json->needs_comma = true;
}

void json_name(struct json *json, const char *name)
{
	begin_value(json);
	put_byte(json, '"');
	(void)buffer_append_text(json->out, name);
	put(json, bytes_of("\":"));
	json->needs_comma = false;
}

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/* How many bytes at the beginning of TEXT can be written as they are. */
static size_t plain_size(struct bytes text)
{
	size_t size = 0;

	while (size < text.size && is_plain(text.data[size]))
		size++;
	return size;
}

/* Write the first character of TEXT, which isn't plain; the result is its size in bytes. */
static size_t put_special(struct json *json, struct bytes text)
{
	unsigned char byte = (unsigned char)text.data[0];
	ucs4_t character;
	int size;

	if (byte == '"' || byte == '\\') {
		put_byte(json, '\\');
		put_byte(json, (char)byte);
		return 1;
	}
	if (byte < 0x80) {
		(void)buffer_append_format(json->out, "\\u%04x", (unsigned)byte);
		return 1;
	}
	size = u8_mbtoucr(&character, (const uint8_t *)text.data, text.size);
	if (size < 1) {
		put(json, bytes_of("\xef\xbf\xbd"));
		return 1;
	}
	put(json, bytes_first(text, (size_t)size));
	return (size_t)size;
}

void json_string(struct json *json, struct bytes text)
{
	begin_value(json);
	put_byte(json, '"');
	while (text.size > 0) {
		size_t size = plain_size(text);

		if (size > 0)
			put(json, bytes_first(text, size));
		else
			size = put_special(json, text);
		text = bytes_skip(text, size);
	}
	put_byte(json, '"');
}

void json_printed(struct json *json, const struct buffer *text)
{
	buffer_take_failure(json->out, text);
	json_string(json, buffer_bytes(text));
}

void json_number(struct json *json, uint64_t number)
{
	begin_value(json);
	(void)buffer_append_format(json->out, "%llu", (unsigned long long)number);
}

void json_boolean(struct json *json, bool value)
{
	begin_value(json);
	(void)buffer_append_text(json->out, value ? "true" : "false");
}

void json_null(struct json *json)
{
	begin_value(json);
	(void)buffer_append_text(json->out, "null");
}

void json_written(struct json *json, struct bytes value)
{
	begin_value(json);
	put(json, value);
}
