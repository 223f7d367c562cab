/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrinking - a table that lost much may be a mistake of somebody's: it wants to be confirmed.
 */
#ifndef PUBLISH_SHRINKING_H
#define PUBLISH_SHRINKING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "table/table.h"

/* May AFTER take the place of BEFORE (all zero: of none) without being asked for? False: it is
 * empty, or has lost more than LIMIT_PERCENT of entries or domains; ERR has status 65. */
bool shrinking_check(const struct table_facts *before, const struct table_facts *after,
		     size_t limit_percent, struct error *err);

#endif
