/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import - carry out a plan: one connection, one snapshot, all queries, all rows into memory.
 *
 * Nothing is left half: where anything went wrong it was reported, and what has been read is of no
 * use. When it returns the connection is closed.
 */
#ifndef DATABASE_IMPORT_H
#define DATABASE_IMPORT_H

#include "plan/plan.h"
#include "database/row_store.h"

/* STORES has one for each kind, begun by the caller. */
bool database_import(const struct database_plan *plan, struct row_store *stores,
		     struct report *report);

/* From now on this process leaves no core, where PLAN has a secret. */
void database_keep_out_of_cores(const struct database_plan *plan);

#endif
