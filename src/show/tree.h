/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree - who leads to whom: a tree of indented lines, or a digraph for Graphviz.
 *
 * Items come in the order of the lines, each behind the one that leads to it. All texts are one
 * field of a line already: print_field(). Failures are the output's.
 */
#ifndef SHOW_TREE_H
#define SHOW_TREE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"

enum tree_kind {
	TREE_ROOT,      /* what was asked for */
	TREE_WAY,       /* leads on */
	TREE_RECIPIENT, /* mail goes there */
	TREE_ITSELF,    /* so goes it to the item that it hangs on, which is named alike */
	TREE_REPEATED,  /* an item of this name was there before */
	TREE_NOWHERE,   /* refused, deferred, dropped or left out */
};

/* Empty texts are left out. */
struct tree_item {
	size_t level;       /* 0: the root */
	struct bytes id;    /* items with one id are one node of the digraph */
	struct bytes label; /* the address as written */
	struct bytes place; /* of its entry */
	struct bytes note;
	enum tree_kind kind;
};

struct tree {
	struct buffer nodes;
	struct buffer texts;
};

void tree_init(struct tree *tree);
void tree_clear(struct tree *tree);
void tree_free(struct tree *tree);

/* All texts are copied. LEVEL is at most one more than that of the item before. */
void tree_add(struct tree *tree, const struct tree_item *item);

/* Append a line an item, each with a tab in front. */
void tree_print_text(const struct tree *tree, bool is_coloured, struct buffer *out);

/* Append nodes and edges; the digraph around them begins and ends for all trees in it. REASON: what
 * hangs on the last item; or empty. */
void tree_dot_begin(struct buffer *out);
void tree_print_dot(const struct tree *tree, struct bytes reason, struct buffer *out);
void tree_dot_end(struct buffer *out);

#endif
