/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain - one resolution as text or JSON, with the keys that were tried.
 */
#ifndef RCPTMAP_EXPLAIN_H
#define RCPTMAP_EXPLAIN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "resolve/answer.h"
#include "resolve/resolve.h"
#include "show/json.h"

struct explain {
	const struct table *table;
	const struct answer_texts *texts;
	struct resolve_options options;
	struct arena arena;
	struct buffer steps; /* of the address at hand: lines, or a JSON array */
	struct json steps_json;
	struct buffer scratch;
	bool is_json;
	bool is_verbose;
	bool has_refused;
	bool has_deferred;
};

/* LIMITS, TEXTS and TABLE are borrowed. Stay where you are: resolve() holds a pointer to it. */
void explain_init(struct explain *explain, const struct table *table,
		  const struct resolve_limits *limits, const struct answer_texts *texts,
		  bool is_json, bool is_verbose);
void explain_free(struct explain *explain);

/* Append what becomes of the address TEXT to OUT: a line, and with -v a line a key. */
void explain_address(struct explain *explain, struct bytes text, struct buffer *out);

#endif
