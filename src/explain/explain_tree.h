/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_tree - listen to a resolution, and make a tree of what it says.
 *
 * What a listener hears comes in the order of the way, depth first: so an item is whole when the
 * next one begins.
 */
#ifndef EXPLAIN_EXPLAIN_TREE_H
#define EXPLAIN_EXPLAIN_TREE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "resolve/resolve.h"
#include "show/tree.h"

/* The item of the tree that is being found. */
struct explain_item {
	size_t level;
	enum tree_kind kind;
	struct buffer id;
	struct buffer label;
	struct buffer place;
	struct buffer found; /* the key, where it isn't the address itself */
	struct buffer tried; /* keys that were not found */
	size_t first_tried;  /* bytes of the first of them */
	struct buffer note;
	bool is_found;
};

struct explain_tree {
	const struct table *table;
	struct tree tree;
	struct explain_item item;
	struct buffer scratch;
};

/* TABLE is borrowed. OPTIONS get listeners that hold a pointer to TREE. */
void explain_tree_init(struct explain_tree *tree, const struct table *table,
		       struct resolve_options *options);
void explain_tree_free(struct explain_tree *tree);

/* Call the one before resolve() is asked for TEXT, and the other with what it said. */
void explain_tree_begin(struct explain_tree *tree, struct bytes text);
void explain_tree_end(struct explain_tree *tree, const struct resolution *resolution);

#endif
