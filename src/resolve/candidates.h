/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * candidates - which keys to try for one address, in which order; the first hit ends it.
 *
 *   user+ext@domain, user@domain; in a local domain user+ext, user; @domain
 *
 * The first of them, the whole address, is asked of every source in the order of the sources, of
 * patterns too; the others of the sources that have keys.
 *
 * Measured on Postfix 3.7 and 3.11 (mail_addr_find); the bare-domain key is never asked.
 */
#ifndef RESOLVE_CANDIDATES_H
#define RESOLVE_CANDIDATES_H

#include "resolve/resolve.h"
#include "table/patterns.h"
#include "table/table.h"

/* One resolution at work: what all its steps read, and where they take memory. */
struct inquiry {
	const struct table *table;
	const struct resolve_options *options;
	struct arena *arena;
	struct pattern_budget *budget; /* NULL: each question of patterns has one of its own */
};

/* How an entry was found. */
struct candidate_hit {
	bool is_catch_all;     /* the extension, if any, stays part of the user */
	bool strips_extension; /* found without it: pass it on to the targets */
};

/* An address to be asked for. */
struct candidate {
	struct bytes local; /* folded */
	const struct table_domain *domain;
	struct address written; /* what patterns are asked */
};

enum candidate_outcome {
	CANDIDATE_FOUND,
	CANDIDATE_ABSENT,
	CANDIDATE_BROKEN,
	CANDIDATE_NO_MEMORY,
	CANDIDATE_GAVE_UP, /* a pattern did: the place of *out_entry is its own, or 0 */
	CANDIDATE_UNSAFE,  /* a pattern matches, but makes no address of it: the same place */
};

/* The options are for the trace alone, the arena for what a pattern makes. *out_entry and *out_hit
 * have a meaning with FOUND only. */
enum candidate_outcome candidates_find(const struct inquiry *inquiry,
				       const struct candidate *candidate,
				       struct table_entry *out_entry,
				       struct candidate_hit *out_hit);

/* Can any key or pattern be about an address in DOMAIN? */
bool candidates_exist(const struct table *table, const struct table_domain *domain);

#endif
