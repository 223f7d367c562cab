/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address.h"

#include "mail/address_class.h"
#include "mail/characters.h"

enum { ESCAPED_BYTES_MAX = 256 };

/* Atoms with single dots between them need no quotes. */
static bool is_dot_atom(struct bytes local)
{
	bool is_behind_dot = true;

	for (size_t i = 0; i < local.size; i++) {
		bool is_dot = local.data[i] == '.';

		if (!address_is_class(local.data[i], CLASS_ATEXT | CLASS_UTF8 | CLASS_DOT) ||
		    (is_dot && is_behind_dot))
			return false;
		is_behind_dot = is_dot;
	}
	return !is_behind_dot;
}

static bool is_printable(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (address_is_class(text.data[i], CLASS_UNPRINTABLE))
			return false;
	return true;
}

/* How many bytes need a `\\` before them within quotes. */
static size_t count_escapes(struct bytes local)
{
	size_t count = 0;

	for (size_t i = 0; i < local.size; i++)
		count += local.data[i] == '"' || local.data[i] == '\\';
	return count;
}

/* Write LOCAL in quotes; returns where it ends. */
static char *quote(struct bytes local, char *at)
{
	*at++ = '"';
	for (size_t i = 0; i < local.size; i++) {
		if (local.data[i] == '"' || local.data[i] == '\\')
			*at++ = '\\';
		*at++ = local.data[i];
	}
	*at++ = '"';
	return at;
}

static char *put(struct bytes text, char *at)
{
	if (text.size > 0)
		memcpy(at, text.data, text.size);
	return at + text.size;
}

/* All or nothing: half an address could be another one. */
bool address_print(const struct address *address, struct buffer *out_text)
{
	struct bytes local = address->local;
	struct bytes domain = address->domain;
	bool is_bare = is_dot_atom(local);
	size_t size = local.size + (domain.size > 0 ? domain.size + 1 : 0);
	char *at;

	if (!is_printable(domain) || (!is_bare && !is_printable(local)))
		return false;
	if (!is_bare)
		size += 2 + count_escapes(local);
	at = buffer_extend(out_text, size);
	if (at == NULL)
		return false;
	at = is_bare ? put(local, at) : quote(local, at);
	if (domain.size > 0) {
		*at++ = '@';
		(void)put(domain, at); /* nothing follows */
	}
	return true;
}

/* How many bytes at the begin of TEXT are one character that may be shown as it is; 0: none. */
static size_t shown_size(struct bytes text, bool keep_utf8)
{
	if (!keep_utf8 && (unsigned char)text.data[0] >= 0x80)
		return 0;
	return character_shown_size(text);
}

/* Write the next character of TEXT to OUT (4 bytes of room); return what it took from TEXT. */
static size_t escape_one(struct bytes text, bool keep_utf8, char *out, size_t *out_size)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)text.data[0];
	size_t size = shown_size(text, keep_utf8);

	if (size == 0) {
		out[0] = '\\';
		out[1] = 'x';
		out[2] = digits[byte >> 4];
		out[3] = digits[byte & 15];
		*out_size = 4;
		return 1;
	}
	if (byte == '"' || byte == '\\') {
		out[0] = '\\';
		out[1] = (char)byte;
		*out_size = 2;
		return 1;
	}
	memcpy(out, text.data, size);
	*out_size = size;
	return size;
}

/* Copy the bytes at the begin of TEXT that are shown as they are; how many there were. */
static size_t copy_plain(struct bytes text, char *out, size_t room)
{
	size_t most = text.size < room ? text.size : room;
	size_t size = 0;

	while (size < most && text.data[size] >= ' ' && text.data[size] <= '~' &&
	       text.data[size] != '"' && text.data[size] != '\\') {
		out[size] = text.data[size];
		size++;
	}
	return size;
}

bool address_escape(struct bytes text, bool keep_utf8, struct buffer *out_text)
{
	char shown[ESCAPED_BYTES_MAX];
	size_t size = copy_plain(text, shown, sizeof(shown));
	size_t taken = size;

	while (taken < text.size) {
		char one[4];
		size_t one_size;
		size_t used = escape_one(bytes_skip(text, taken), keep_utf8, one, &one_size);

		if (size + one_size > sizeof(shown))
			break;
		memcpy(shown + size, one, one_size);
		size += one_size;
		taken += used;
	}
	if (!buffer_append(out_text, bytes_make(shown, size)))
		return false;
	if (taken == text.size)
		return true;
	return buffer_append_format(out_text, "...(+%zu)", text.size - taken);
}
