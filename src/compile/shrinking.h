/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrinking - has a table lost so much that this can't be meant?
 */
#ifndef COMPILE_SHRINKING_H
#define COMPILE_SHRINKING_H

#include <stdbool.h>
#include <stddef.h>

#include "sources/report.h"
#include "table/table.h"

/* False, and reported: AFTER is empty, or has lost more than LIMIT_PERCENT of BEFORE. */
bool shrinking_check(const struct table_facts *before, const struct table_facts *after,
		     size_t limit_percent, struct report *report);

#endif
