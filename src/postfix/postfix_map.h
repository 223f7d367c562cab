/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_map - ask Postfix's look-up tables, as postmap(1) of that Postfix answers.
 *
 * "It has no such key" and "it can't be asked" are two answers: a map that can't be opened makes
 * Postfix defer everything, and says nothing about what is in it. One thread.
 */
#ifndef POSTFIX_POSTFIX_MAP_H
#define POSTFIX_POSTFIX_MAP_H

#include "postfix/postfix_read.h"

enum postfix_answer {
	POSTFIX_ANSWERED,
	POSTFIX_CANT_TELL, /* the map can't be asked; why is in the error's text */
	POSTFIX_FAILED,    /* we couldn't ask: see the error */
};

/* Ask MAP (`hash:/etc/postfix/virtual`) for all KEYS. OUT_VALUES has one for each, in ARENA; NULL
 * where the map has no such key. */
enum postfix_answer postfix_look_up(struct postfix *postfix, struct bytes map,
				    const struct bytes *keys, size_t count, struct arena *arena,
				    const char **out_values, struct error *err);

/* All that MAP has, one `key TAB value` a line, in ARENA; of a file of patterns its lines as they
 * are, and OUT_ARE_PATTERNS. Not every type of map can tell. */
enum postfix_answer postfix_list_map(struct postfix *postfix, struct bytes map, struct arena *arena,
				     struct bytes *out_text, bool *out_are_patterns,
				     struct error *err);

/* A file that belongs to the configuration; CANT_TELL where it can't be read. */
enum postfix_answer postfix_read_file(const char *path, struct arena *arena, struct bytes *out_text,
				      struct error *err);

#endif
