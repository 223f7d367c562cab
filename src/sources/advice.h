/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * advice - what a line was meant to be that is no row of its source, for the message about it.
 *
 * Guesses, made only where a line is refused anyway or can be meant in one way only.
 */
#ifndef SOURCES_ADVICE_H
#define SOURCES_ADVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	ADVICE_BYTES = 400,
	ADVICE_HEAD_BYTES = 2048, /* of a file, that tell what it is */
};

/* Is it a rule of a pattern source: `/pattern/flags value`, `if /pattern/`, `endif`? A key of
 * X.400,
 * `/C=de/S=ann/@example.com`, is none. */
bool advice_is_pattern(struct bytes key, struct bytes value);

/* Of a pattern source's LINE: is it a row of a virtual source? */
bool advice_is_entry(struct bytes line);

/* `expected: key whitespace value`, and what LINE may lack, which is a key without a value. */
const char *advice_on_one_column(struct bytes line, char out_text[ADVICE_BYTES]);

/* HEAD is how a file of FILE_BYTES begins: what kind of compiled table is it, or NULL for a text?
 */
const char *advice_compiled_kind(struct bytes head, uint64_t file_bytes);

/* What is wrong with QUANTIFIER, which repeats nothing in a POSIX expression. IS_GROUP_BEGIN: it
 * stands right behind a bracket; BEFORE is what it stands behind. */
const char *advice_on_quantifier(char quantifier, bool is_group_begin, struct bytes before);

#endif
