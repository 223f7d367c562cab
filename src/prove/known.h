/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known - entries that are sound since all they lead to is.
 *
 * An entry whose targets all lie outside is sound, and so is one whose targets are entries of which
 * that is known already. It is learned in rounds, from the outside in. The targets of many entries
 * are looked up together in the order of the file, which costs a fraction of what as many look-ups
 * here and there do, in time and in pages. What isn't learned this way (loops, keys that don't
 * exist, or only as catch-alls, extensions, …) isn't wrong for that: it takes a closer look.
 *
 * `struct known` is shared by threads; each has a `struct learner` of its own.
 */
#ifndef PROVE_KNOWN_H
#define PROVE_KNOWN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "resolve/resolve.h"
#include "table/table.h"

struct known {
	const struct table *table;
	struct resolve_limits limits;
	_Atomic uint8_t *counts;	/* by slot: recipients it leads to at most; 0: unknown */
	atomic_uint height;		/* no known entry has a longer way out */
};

/* False: no memory. */
bool known_init(struct known *known, const struct table *table,
                const struct resolve_limits *limits);
void known_free(struct known *known);

/* ENTRY is sound and leads to COUNT recipients, none of them a key. */
void known_learn(struct known *known, const struct table_entry *entry, size_t count);

struct learner {
	struct known *known;
	struct arena arena;
	struct buffer numbers;	/* of the rows that wait: u64 each */
	struct buffer rows;	/* the slice at hand: struct learner_row */
	struct buffer questions;	/* of it, each with its local part */
	struct buffer order;	/* of it: u32 offsets in questions */
};

void learner_init(struct learner *learner, struct known *known);
void learner_free(struct learner *learner);

/* ROW wants to be known. False: it can't be learned here, or there is no memory. */
bool learner_await(struct learner *learner, const struct table_row *row);

size_t learner_waiting(const struct learner *learner);

/* One round over all that wait; those that were learned wait no longer. False: no memory. */
bool learner_round(struct learner *learner);

/* The number of one of the rows that wait, for table_row_at(). */
uint64_t learner_row(const struct learner *learner, size_t index);

#endif
