/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query_shape - from a query that answers one key to the query that answers all of them.
 *
 * `SELECT goto FROM alias WHERE address = '%s' AND active` asked for each key there is says the
 * same as `SELECT (address), goto FROM alias WHERE (active)` asked once: a condition that must be
 * true, and that compares the key with something of the row, says what the keys of the row are.
 * Whatever is not of this shape is refused, with the reason: a guess would be a wrong answer. Pure:
 * nothing is asked. Thread-safe.
 */
#ifndef SQL_QUERY_SHAPE_H
#define SQL_QUERY_SHAPE_H

#include "base/arena.h"
#include "base/bytes.h"

/* What the first columns of the bulk query say of the key. */
enum query_shape_kind {
	QUERY_KEY,          /* one: the key itself                     x = '%s' */
	QUERY_ADDRESS,      /* one: the key, if it is an address       x = '%u@%d' */
	QUERY_PARTS,        /* two: local part and domain              x = '%u' AND y = '%d' */
	QUERY_DOMAIN,       /* one: every address of this domain       x = '%d' */
	QUERY_CATCH_ALL,    /* one: likewise, behind an @              x = '@%d' */
	QUERY_DOMAIN_ALIAS, /* three: domain, an address, its domain   y = '%d' AND
			     *                                         x = '%u' || '@' || z */
};

struct query_shape {
	enum query_shape_kind kind;
	size_t key_columns;
	struct bytes bulk; /* in the arena, with a NUL behind it */
	/* Where all rows are of one table: its name as written, and what its columns stand behind.
	 * Views into the query; empty: of several, or of something else. */
	struct bytes table;
	struct bytes qualifier;
};

enum query_dialect {
	QUERY_POSTGRESQL,
	QUERY_SQLITE,
	QUERY_MYSQL,
};

enum query_outcome {
	QUERY_HAS_SHAPE,
	QUERY_HAS_NONE, /* *out_why says why, in words that end `the query …` */
	QUERY_NO_MEMORY,
};

enum query_outcome query_shape_find(struct bytes query, enum query_dialect dialect,
				    struct arena *arena, struct query_shape *out_shape,
				    const char **out_why);

#endif
