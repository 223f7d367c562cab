/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain - one resolution as text, JSON or part of a digraph, with the keys that were tried.
 */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "explain/explain_tree.h"
#include "resolve/answer.h"
#include "resolve/resolve.h"
#include "show/json.h"

struct explain_form {
	bool is_json;
	bool is_dot;      /* for between tree_dot_begin() and tree_dot_end() */
	bool is_verbose;  /* with the steps; a digraph always has them */
	bool is_coloured; /* for a terminal */
};

struct explain {
	const struct table *table;
	const struct answer_texts *texts;
	struct resolve_options options;
	struct arena arena;
	struct buffer steps; /* of the address at hand: a JSON array */
	struct json steps_json;
	struct buffer scratch;
	struct explain_tree tree; /* where lines or a digraph are wanted */
	struct explain_form form;
	bool has_refused;
	bool has_deferred;
};

/* LIMITS, TEXTS and TABLE are borrowed. Stay where you are: resolve() holds a pointer to it. */
void explain_init(struct explain *explain, const struct table *table,
		  const struct resolve_limits *limits, const struct answer_texts *texts,
		  const struct explain_form *form);
void explain_free(struct explain *explain);

/* Append what becomes of the address TEXT to OUT: a line, and with -v a tree of lines below it. */
void explain_address(struct explain *explain, struct bytes text, struct buffer *out);

#endif
