/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan_lists - the attributes that a search of a directory reads.
 */
#ifndef PLAN_LISTS_H
#define PLAN_LISTS_H

#include "plan/planner.h"

/* Names with commas and blanks between them; NULL: none, of the ordinary ones `maildrop`. */
struct planner_lists {
	const char *ordinary;
	const char *special;
	const char *terminal;
	const char *leaf;
};

/* Into QUERY, as lists, and all of them as one. False: reported. */
bool planner_take_lists(const struct planner *planner, struct directory_query *query,
			struct planner_lists lists);

#endif
