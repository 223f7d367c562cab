/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interest - what of a database a plan reads, for who is to hear of its changes: the tables that
 * its queries name and the functions that they call, or the searches of a directory.
 */
#ifndef CHANGES_INTEREST_H
#define CHANGES_INTEREST_H

#include <stdbool.h>

#include "plan/plan.h"

struct interest {
	const char *const *tables; /* NULL behind the last */
	const char *const *functions;
	const struct directory_search *searches;
	size_t search_count;
	bool is_exact;     /* these are all the searches that are made */
	const char *doubt; /* why there may be more that isn't heard; NULL: that is all */
};

/* Of PLAN, in the arena of which it lives. False: no memory. */
bool interest_find(struct database_plan *plan, struct interest *out_interest, struct error *err);

#endif
