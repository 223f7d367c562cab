/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query_shaper - a query taken apart: what the two files that find its shape share, query_shape.c
 * and query_conditions.c for what stands behind WHERE (shaper_take_conditions()).
 */
#ifndef SQL_QUERY_SHAPER_H
#define SQL_QUERY_SHAPER_H

#include <stdbool.h>

#include "sql/sql_tokens.h"

enum { TOKENS_MAX = 2000, CONDITIONS_MAX = 100 };

/* Tokens from BEGIN to before END. */
struct span {
	size_t begin;
	size_t end;
};

/* What the key's side of a comparison is. */
enum pattern {
	PATTERN_NONE,
	PATTERN_KEY,     /* '%s' */
	PATTERN_ADDRESS, /* '%u@%d' */
	PATTERN_USER,    /* '%u' */
	PATTERN_DOMAIN,  /* '%d' */
	PATTERN_AT,      /* '@%d' */
	PATTERN_USER_AT, /* '%u' || '@' || z */
	PATTERNS,
};

struct condition {
	enum pattern pattern;
	struct span other; /* the side that is not the key's; of PATTERN_NONE: all of it */
	struct span tail;  /* z of PATTERN_USER_AT */
};

struct shaper {
	struct sql_token tokens[TOKENS_MAX];
	size_t count;
	struct span select, from;
	struct condition conditions[CONDITIONS_MAX];
	size_t condition_count;
	const char *why;
};

/* False; WHY becomes the reason. Here, so that an analyser sees what it returns. */
static inline bool shaper_refuse(struct shaper *shaper, const char *why)
{
	shaper->why = why;
	return false;
}

/* How far TOKEN leads into brackets: 1, 0 or -1. */
int shaper_depth_change(const struct sql_token *token);

/* Does TEXT have a % that stands for something of the key? `%%` is a percent sign. */
bool shaper_has_directive(struct bytes text);
bool shaper_tokens_have_directive(const struct shaper *shaper, struct span span);

/* Where WORD is in SPAN, outside of all brackets; its end: nowhere. */
size_t shaper_find_word(const struct shaper *shaper, struct span span, const char *word);

/* Is all of SPAN in one pair of brackets? And SPAN without such pairs. */
bool shaper_is_wrapped(const struct shaper *shaper, struct span span);
struct span shaper_unwrap(const struct shaper *shaper, struct span span);

/* The next part of a chain: REST up to the operator SEPARATOR, outside of all brackets. */
struct span shaper_next_part(const struct shaper *shaper, struct span *rest, const char *separator);

/* Take the conditions of WHERE, joined by AND, into shaper->conditions. False: refused. */
bool shaper_take_conditions(struct shaper *shaper, struct span where);

#endif
