/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text - the benchmark's input in memory: a table as key and value, and lists of questions.
 *
 * Reads what generate.c writes, no more of virtual(5) than that. A failure ends the program, as
 * everywhere in the benchmark's own tools.
 */
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H

#include <stdint.h>
#include <stdnoreturn.h>

#include "base/bytes.h"

struct text_entry {
	struct bytes key;   /* folded */
	struct bytes value; /* continuation lines joined; a NUL stands behind both */
};

struct text_table {
	struct text_entry *entries;
	size_t count;
};

struct text_lines {
	struct bytes *lines;
	size_t count;
	struct bytes file;
};

noreturn void text_fail(const char *what, const char *why);

struct bytes text_read_file(const char *path);
struct text_table text_read_table(const char *path);
struct text_lines text_read_lines(const char *path);
void text_free_lines(struct text_lines *lines);

/* Take the next address of a right-hand side. False behind the last. */
static inline bool text_next_address(struct bytes *rest, struct bytes *out_address)
{
	struct bytes left = *rest;
	size_t end;

	while (left.size > 0 && (*left.data == ' ' || *left.data == ','))
		left = bytes_skip(left, 1);
	if (left.size == 0)
		return false;
	end = bytes_index(left, ',');
	*rest = bytes_skip(left, end);
	while (left.data[end - 1] == ' ')
		end--;
	*out_address = bytes_first(left, end);
	return true;
}

/* Position of the last `@`, or the size. */
static inline size_t text_at_sign(struct bytes address)
{
	const char *at = address.size == 0 ? NULL : memrchr(address.data, '@', address.size);

	return at == NULL ? address.size : (size_t)(at - address.data);
}

#endif
