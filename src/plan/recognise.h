/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recognise - is the query of a Postfix table one that a known program has for it?
 *
 * The files of schemas have these queries, under `postfix`. Compared is their form
 * (sql/query_form), so nothing is told of a query that asks for more, or for less. Two programs may
 * have the same.
 */
#ifndef PLAN_RECOGNISE_H
#define PLAN_RECOGNISE_H

#include "plan/plan.h"

/* Report a note for each schema that has the query of KIND in PLAN, which is of a Postfix table:
 * whose it is, and what the schema reads besides. Whatever can't be read is no schema. */
void recognise_query(const struct database_plan *plan, enum database_kind kind,
		     struct report *report);

#endif
