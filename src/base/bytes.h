/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bytes - a borrowed run of bytes: where it begins and how long it is.
 *
 * Never NUL-terminated by promise, never owned: whoever hands one out says how long it lives.
 * An empty run may have a null pointer; the functions here never touch data of an empty one.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const char *data;
	size_t size;
};

#define BYTES_FORMAT      "%.*s"
#define BYTES_ARGS(bytes) (int)(bytes).size, (bytes).data != NULL ? (bytes).data : ""

/* The bytes of a C string, less its NUL. */
static inline struct bytes bytes_of(const char *text)
{
	return (struct bytes){ .data = text, .size = strlen(text) };
}

static inline struct bytes bytes_make(const void *data, size_t size)
{
	return (struct bytes){ .data = data, .size = size };
}

/* Compare SIZE bytes: the first 8 and the last 8; below 8 the first 4 and the last 4; below 4 all
 * of them. */
static inline bool bytes_same_ends(const unsigned char *left, const unsigned char *right,
				   size_t size)
{
	uint64_t x[2], y[2];
	uint32_t u[2], v[2];

	if (size >= 8) {
		memcpy(&x[0], left, 8);
		memcpy(&x[1], left + size - 8, 8);
		memcpy(&y[0], right, 8);
		memcpy(&y[1], right + size - 8, 8);
		return x[0] == y[0] && x[1] == y[1];
	}
	if (size >= 4) {
		memcpy(&u[0], left, 4);
		memcpy(&u[1], left + size - 4, 4);
		memcpy(&v[0], right, 4);
		memcpy(&v[1], right + size - 4, 4);
		return u[0] == v[0] && u[1] == v[1];
	}
	return size == 0 || (left[0] == right[0] && left[size / 2] == right[size / 2] &&
			     left[size - 1] == right[size - 1]);
}

/* The same as memcmp() == 0, without a call: for the few bytes of an address. */
static inline bool bytes_same(const void *left, const void *right, size_t size)
{
	const unsigned char *a = left;
	const unsigned char *b = right;

	/* What is left between two ends of 8. */
	for (; size > 16; a += 8, b += 8, size -= 8) {
		uint64_t x, y;

		memcpy(&x, a, 8);
		memcpy(&y, b, 8);
		if (x != y)
			return false;
	}
	return bytes_same_ends(a, b, size);
}

/* The same as memcpy(), without a call: likewise. */
static inline void bytes_copy(void *out, const void *from, size_t size)
{
	unsigned char *to = out;
	const unsigned char *begin = from;

	if (size > 32) {
		memcpy(to, begin, size);
	} else if (size >= 16) {
		/* Two copies may overlap. The compiler makes no call of a memcpy() of constant
		 * size. */
		memcpy(to, begin, 16);
		memcpy(to + size - 16, begin + size - 16, 16);
	} else if (size >= 8) {
		memcpy(to, begin, 8);
		memcpy(to + size - 8, begin + size - 8, 8);
	} else if (size >= 4) {
		memcpy(to, begin, 4);
		memcpy(to + size - 4, begin + size - 4, 4);
	} else {
		for (size_t i = 0; i < size; i++)
			to[i] = begin[i];
	}
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && bytes_same(a.data, b.data, a.size);
}

/* Order by bytes, the shorter first where one begins the other. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
	size_t least = a.size < b.size ? a.size : b.size;
	int order = least == 0 ? 0 : memcmp(a.data, b.data, least);

	if (order != 0)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

/* The first SIZE bytes, or all if there are fewer. */
static inline struct bytes bytes_first(struct bytes b, size_t size)
{
	return bytes_make(b.data, size < b.size ? size : b.size);
}

/* What is left behind the first SIZE bytes; empty if there are fewer. */
static inline struct bytes bytes_skip(struct bytes b, size_t size)
{
	if (size >= b.size)
		return bytes_make(NULL, 0);
	return bytes_make(b.data + size, b.size - size);
}

/* Position of the first BYTE, or b.size. */
static inline size_t bytes_index(struct bytes b, char byte)
{
	const char *at = b.size == 0 ? NULL : memchr(b.data, byte, b.size);

	return at == NULL ? b.size : (size_t)(at - b.data);
}

static inline bool bytes_contain(struct bytes b, char byte)
{
	return bytes_index(b, byte) < b.size;
}

static inline char byte_to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Equal but for the case of ASCII letters. */
static inline bool bytes_equal_ascii_nocase(struct bytes a, struct bytes b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		if (byte_to_lower(a.data[i]) != byte_to_lower(b.data[i]))
			return false;
	return true;
}

static inline bool bytes_begin_with(struct bytes b, struct bytes prefix)
{
	return b.size >= prefix.size && bytes_equal(bytes_first(b, prefix.size), prefix);
}

static inline bool bytes_are_ascii(struct bytes b)
{
	unsigned char all = 0;

	for (size_t i = 0; i < b.size; i++)
		all |= (unsigned char)b.data[i];
	return all < 0x80;
}

/* ASCII white space, as isspace() has it in the C locale. */
static inline bool byte_is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* B less white space at both ends. */
static inline struct bytes bytes_trim(struct bytes b)
{
	while (b.size > 0 && byte_is_white(b.data[b.size - 1]))
		b.size--;
	while (b.size > 0 && byte_is_white(b.data[0])) {
		b.data++;
		b.size--;
	}
	return b;
}

#endif
