/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query - the answers of `rcptmap query` and of `rcptmap -q`.
 */
#ifndef RCPTMAP_QUERY_H
#define RCPTMAP_QUERY_H

#include "table/table.h"

/* Print the answer of each of COUNT keys; `-` stands for those on standard input, one a line. The
 * result is the exit status: 0 something was found, 1 nothing was, 75 something can't be told. */
int query_run(const struct table *table, char **keys, int count);

#endif
