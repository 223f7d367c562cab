/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_tree - a filter of RFC 4515 in its parts, for filter_parse.c and filter_shape.c.
 */
#ifndef DIRECTORY_FILTER_TREE_H
#define DIRECTORY_FILTER_TREE_H

#include "base/arena.h"
#include "base/bytes.h"

enum filter_kind { FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_ITEM };

struct filter_node {
	enum filter_kind kind;
	bool has_key;             /* a directive is in it, other than %% */
	struct bytes text;        /* of an item, without its brackets */
	struct filter_node *next; /* beside it */
	struct filter_node *first;
};

/* All of FILTER. NULL: *OUT_WHY says what is wrong, or is NULL for want of memory. */
struct filter_node *filter_parse(struct bytes filter, struct arena *arena, const char **out_why);

#endif
