/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/tree.h"

struct text {
	size_t begin;
	size_t size;
};

struct tree_node {
	size_t level;
	struct text id;
	struct text label;
	struct text place;
	struct text note;
	enum tree_kind kind;
};

void tree_init(struct tree *tree)
{
	buffer_init(&tree->nodes, SIZE_MAX / 4);
	buffer_init(&tree->texts, SIZE_MAX / 4);
}

void tree_clear(struct tree *tree)
{
	buffer_clear(&tree->nodes);
	buffer_clear(&tree->texts);
}

void tree_free(struct tree *tree)
{
	buffer_free(&tree->nodes);
	buffer_free(&tree->texts);
}

static struct text copy(struct tree *tree, struct bytes text)
{
	struct text place = { .begin = tree->texts.size, .size = text.size };

	(void)buffer_append(&tree->texts, text); /* the buffer knows */
	return place;
}

void tree_add(struct tree *tree, const struct tree_item *item)
{
	const struct tree_node node = {
		.level = item->level,
		.id = copy(tree, item->id),
		.label = copy(tree, item->label),
		.place = copy(tree, item->place),
		.note = copy(tree, item->note),
		.kind = item->kind,
	};

	(void)buffer_append(&tree->nodes, bytes_make(&node, sizeof(node))); /* likewise */
}

static const struct tree_node *nodes_of(const struct tree *tree, size_t *out_count)
{
	*out_count = tree->nodes.size / sizeof(struct tree_node);
	return (const struct tree_node *)(const void *)tree->nodes.data;
}

static struct bytes text_of(const struct tree *tree, struct text text)
{
	return bytes_make(text.size == 0 ? "" : tree->texts.data + text.begin, text.size);
}

/* Appends that fail are remembered by OUT. */
static void put(struct buffer *out, const char *text)
{
	(void)buffer_append_text(out, text);
}

/* True: what the tree holds is all that was added to it. */
static bool is_whole(const struct tree *tree, struct buffer *out)
{
	buffer_take_failure(out, &tree->nodes);
	buffer_take_failure(out, &tree->texts);
	return !out->has_failed;
}

/* ---- lines ------------------------------------------------------------------------------ */

/* Codes of ECMA-48 that can be read on light and on dark. */
#define COLOUR_PLACE "\033[36m"
#define COLOUR_NOTE  "\033[2m"
#define COLOUR_END   "\033[0m"

static const char *const colours[] = {
	[TREE_ROOT] = "\033[1m",       [TREE_WAY] = "",
	[TREE_RECIPIENT] = "\033[32m", [TREE_ITSELF] = "\033[32m",
	[TREE_REPEATED] = "\033[2m",   [TREE_NOWHERE] = "\033[31m",
};

/* Put into FOLLOWS, of a byte a node, whether its parent has another child behind it. */
static bool find_siblings(const struct tree_node *nodes, size_t count, struct buffer *follows)
{
	struct buffer open; /* by level: is there a later one, under the same parent? */
	char *followed = buffer_extend(follows, count);
	size_t deepest = 0;

	buffer_init(&open, SIZE_MAX / 4);
	for (size_t i = 0; i < count; i++)
		if (nodes[i].level > deepest)
			deepest = nodes[i].level;
	if (buffer_extend(&open, deepest + 1) == NULL || followed == NULL) {
		buffer_free(&open);
		return false;
	}
	memset(open.data, 0, deepest + 1);
	for (size_t i = count; i > 0; i--) {
		size_t level = nodes[i - 1].level;

		followed[i - 1] = open.data[level];
		open.data[level] = 1;
		memset(open.data + level + 1, 0, deepest - level);
	}
	buffer_free(&open);
	return true;
}

static void print_coloured(struct bytes text, const char *colour, struct buffer *out)
{
	put(out, colour);
	(void)buffer_append(out, text);
	if (colour[0] != '\0')
		put(out, COLOUR_END);
}

static void print_node(const struct tree *tree, const struct tree_node *node, bool is_coloured,
		       struct buffer *out)
{
	print_coloured(text_of(tree, node->label), is_coloured ? colours[node->kind] : "", out);
	if (node->place.size > 0) {
		put(out, "  ");
		print_coloured(text_of(tree, node->place), is_coloured ? COLOUR_PLACE : "", out);
	}
	if (node->note.size > 0) {
		put(out, "  ");
		print_coloured(text_of(tree, node->note), is_coloured ? COLOUR_NOTE : "", out);
	}
	put(out, "\n");
}

/* LINES has four bytes a level above the one at hand. */
static void print_branch(struct buffer *lines, size_t level, bool is_followed, struct buffer *out)
{
	put(out, "\t");
	if (level == 0)
		return;
	lines->size = (level - 1) * 4;
	(void)buffer_append(out, buffer_bytes(lines));
	put(out, is_followed ? "|-- " : "`-- ");
	put(lines, is_followed ? "|   " : "    ");
}

void tree_print_text(const struct tree *tree, bool is_coloured, struct buffer *out)
{
	size_t count;
	const struct tree_node *nodes = nodes_of(tree, &count);
	struct buffer follows, lines;

	if (!is_whole(tree, out) || count == 0)
		return;
	buffer_init(&follows, SIZE_MAX / 4);
	buffer_init(&lines, SIZE_MAX / 4);
	if (find_siblings(nodes, count, &follows)) {
		for (size_t i = 0; i < count && !lines.has_failed; i++) {
			print_branch(&lines, nodes[i].level, follows.data[i] != 0, out);
			print_node(tree, &nodes[i], is_coloured, out);
		}
	} else {
		follows.has_failed = true;
	}
	buffer_take_failure(out, &follows);
	buffer_take_failure(out, &lines);
	buffer_free(&follows);
	buffer_free(&lines);
}

/* ---- a digraph -------------------------------------------------------------------------- */

static const char *const shapes[] = {
	[TREE_ROOT] = ", style=bold",
	[TREE_WAY] = "",
	[TREE_RECIPIENT] = ", shape=ellipse, color=darkgreen",
	[TREE_ITSELF] = "shape=ellipse, color=darkgreen",
	[TREE_REPEATED] = "",
	[TREE_NOWHERE] = ", color=red",
};

/* Within quotes. A label may have references to characters, too, as HTML has. */
static void print_quoted(struct bytes text, bool is_label, struct buffer *out)
{
	for (size_t i = 0; i < text.size; i++) {
		char byte = text.data[i];

		if (byte == '"' || byte == '\\')
			put(out, "\\");
		(void)buffer_append_byte(out, byte);
		if (is_label && byte == '&')
			put(out, "amp;");
	}
}

static void print_id(const struct tree *tree, const struct tree_node *node, const char *suffix,
		     struct buffer *out)
{
	put(out, "\"");
	print_quoted(text_of(tree, node->id), false, out);
	put(out, suffix);
	put(out, "\"");
}

static void print_label_line(struct bytes text, struct buffer *out)
{
	if (text.size > 0)
		put(out, "\\n");
	print_quoted(text, true, out);
}

static void print_label(const struct tree *tree, const struct tree_node *node, struct buffer *out)
{
	put(out, "label=\"");
	print_quoted(text_of(tree, node->label), true, out);
	print_label_line(text_of(tree, node->place), out);
	print_label_line(text_of(tree, node->note), out);
	put(out, "\"");
}

static void print_dot_node(const struct tree *tree, const struct tree_node *node,
			   struct buffer *out)
{
	if (node->kind == TREE_REPEATED)
		return;
	put(out, "\t");
	print_id(tree, node, "", out);
	put(out, " [");
	/* What is said of it stands there already. */
	if (node->kind != TREE_ITSELF)
		print_label(tree, node, out);
	put(out, shapes[node->kind]);
	put(out, "];\n");
}

static void print_edge(const struct tree *tree, const struct tree_node *from,
		       const struct tree_node *to, struct buffer *out)
{
	put(out, "\t");
	print_id(tree, from, "", out);
	put(out, " -> ");
	print_id(tree, to, "", out);
	put(out, ";\n");
}

static void print_reason(const struct tree *tree, const struct tree_node *node, struct bytes reason,
			 struct buffer *out)
{
	put(out, "\t");
	print_id(tree, node, " (reason)", out);
	put(out, " [label=\"");
	print_quoted(reason, true, out);
	put(out, "\", shape=note, color=red];\n\t");
	print_id(tree, node, "", out);
	put(out, " -> ");
	print_id(tree, node, " (reason)", out);
	put(out, " [style=dashed, color=red];\n");
}

void tree_dot_begin(struct buffer *out)
{
	put(out, "strict digraph rcptmap {\n"
		 "\trankdir=LR;\n"
		 "\tnode [shape=box, fontname=\"sans-serif\", fontsize=11];\n");
}

void tree_dot_end(struct buffer *out)
{
	put(out, "}\n");
}

void tree_print_dot(const struct tree *tree, struct bytes reason, struct buffer *out)
{
	size_t count;
	const struct tree_node *nodes = nodes_of(tree, &count);
	struct buffer path; /* by level: the number of the last node there */

	if (!is_whole(tree, out) || count == 0)
		return;
	buffer_init(&path, SIZE_MAX / 4);
	for (size_t i = 0; i < count && !path.has_failed; i++) {
		const size_t *parents;

		path.size = nodes[i].level * sizeof(i);
		(void)buffer_append(&path, bytes_make(&i, sizeof(i))); /* asked below */
		print_dot_node(tree, &nodes[i], out);
		if (nodes[i].level == 0 || path.has_failed)
			continue;
		parents = (const size_t *)(const void *)path.data;
		print_edge(tree, &nodes[parents[nodes[i].level - 1]], &nodes[i], out);
	}
	if (reason.size > 0)
		print_reason(tree, &nodes[count - 1], reason, out);
	buffer_take_failure(out, &path);
	buffer_free(&path);
}
