/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * like_pattern - addresses with the wildcards of SQL's LIKE, as patterns of ours.
 *
 * `%` stands for any text and `_` for one character, before the last `@`; what is behind it is a
 * domain as it stands. There is no way to escape them. An extension may follow the local part,
 * since a pattern is asked for the whole address only.
 */
#ifndef DATABASE_LIKE_PATTERN_H
#define DATABASE_LIKE_PATTERN_H

#include <stdbool.h>

#include "base/buffer.h"
#include "sources/source.h"

/*
 * Make of ROW, whose key is such an address and whose value are its targets, that of a pattern; it
 * borrows of the two buffers. DELIMITERS begin an extension; none: there are no extensions. ERR:
 * status 65 where the key is no pattern, 71 without memory.
 */
bool like_pattern_make(struct source_row *row, struct bytes delimiters, struct buffer *expression,
		       struct buffer *value, struct error *err);

#endif
