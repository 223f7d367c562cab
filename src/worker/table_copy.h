/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_copy - the table that serves, as a descriptor that outlives its process.
 *
 * The master keeps it and hands it to each worker that follows, so that the death of a worker never
 * meets a file that is missing, damaged or not to be trusted. Of a table in memory it is a copy in
 * a file without a name, sealed: nobody can change it any more. That is the table's size once more;
 * sharing one copy would cost the worker its large pages, and 10 to 25 % of its speed. Of a mapped
 * table, which may be larger than memory, it is the file itself: that outlives its name, its mode
 * and its owner, but not a change in place.
 */
#ifndef WORKER_TABLE_COPY_H
#define WORKER_TABLE_COPY_H

#include "base/error.h"
#include "table/table.h"

/* The caller closes it. -1 on failure, see ERR. */
int table_copy_make(const struct table *table, struct error *err);

/* Is FD, or -1, a copy of this very TABLE, by its checksum? Where that can't be told it isn't. */
bool table_copy_is_of(int fd, const struct table *table);

#endif
