/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template - what a pattern's match stands for: text in which `$1`, `${1}`, `$(1)` are groups and
 * `$$` a dollar.
 *
 * The same parser checks a template when a table is compiled and fills it when mail flows, so that
 * what was let through means the same there. A name without braces goes as far as letters, digits
 * and `_` do, as in Postfix: `$1x` is no group, `${1}x` is. A group is a decimal number from 1 to
 * TEMPLATE_GROUP_MAX, with zeros before it or without: so many a match keeps, as in Postfix; a
 * pattern may have more of them. Views into the text; nothing is allocated. Thread-safe.
 */
#ifndef TABLE_TEMPLATE_H
#define TABLE_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

enum { TEMPLATE_GROUP_MAX = 99 };

enum template_step {
	TEMPLATE_TEXT,  /* text stands for itself; it isn't empty */
	TEMPLATE_GROUP, /* group is put in; text is its name */
	TEMPLATE_END,
	TEMPLATE_WRONG, /* a `$` with neither; text is the name behind it, or empty: none */
};

struct template_piece {
	struct bytes text;
	uint32_t group; /* of TEMPLATE_GROUP: 1 to TEMPLATE_GROUP_MAX */
};

/* Take the next piece off *REST. Behind TEMPLATE_WRONG there is no next one. */
enum template_step template_next(struct bytes *rest, struct template_piece *out_piece);

/* Can TEXT be filled from a match with GROUP_COUNT groups? ERR (status 65) says why not. */
bool template_check(struct bytes text, uint32_t group_count, struct error *err);

/*
 * Append TEXT, which template_check() let through, with its groups as `${1}`: the form that stands
 * in a table. A full buffer shows in out_text->has_failed alone.
 */
void template_normalise(struct bytes text, struct buffer *out_text);

#endif
