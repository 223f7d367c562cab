/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sql_tables - which tables a query reads, and which functions it calls, by its words.
 *
 * A table is what stands behind FROM, JOIN, or a comma between two of these, and is no function. A
 * name that WITH has given to a query counts as one, too: who looks for it doesn't find it. So is
 * each name before a bracket one of a function, as are IN and VALUES. Pure; thread-safe.
 */
#ifndef SQL_SQL_TABLES_H
#define SQL_SQL_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"

struct sql_names {
	const char **names; /* as written, with schema and quotes; each once; NULL behind them */
	size_t count;
	size_t room;
};

struct sql_tables {
	struct sql_names tables;
	struct sql_names functions;
	bool has_unknown; /* a query had words that we don't read: there may be others */
};

/* Add those of QUERY to TABLES, which begins as all zero and lives in ARENA. False: no memory. */
bool sql_tables_add(struct sql_tables *tables, struct bytes query, bool is_mysql,
		    struct arena *arena);

#endif
