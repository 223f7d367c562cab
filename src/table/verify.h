/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify - prove the structure of a whole table, entry by entry, beyond what opening it checks.
 */
#ifndef TABLE_VERIFY_H
#define TABLE_VERIFY_H

#include <stdbool.h>

#include "base/error.h"
#include "table/table.h"

/* What verifying a row has seen of its targets. */
struct table_row_sum {
	uint64_t targets;
	unsigned flags;       /* of the domains of all targets together */
	size_t longest;       /* bytes of the longest target: local part, `@`, domain */
	size_t longest_local; /* bytes of the longest local part */
	bool keeps_user;      /* some target does */
};

enum { TABLE_VERIFIERS = 2 };

/* Who wants to see the rows on the way: a walk less. */
struct table_visitor {
	/* Called for each row that is sound in itself, with the context of the calling thread;
	 * whether all of the table is sound isn't known yet. Catch-alls come last, to the first
	 * context. */
	void (*on_row)(void *context, const struct table_row *row, const struct table_row_sum *sum);
	void *contexts[TABLE_VERIFIERS];
};

/* ERR (status 65) says what is wrong where; 71: out of memory. */
bool table_verify(const struct table *table, struct error *err);
bool table_verify_visiting(const struct table *table, const struct table_visitor *visitor,
			   struct error *err);

#endif
