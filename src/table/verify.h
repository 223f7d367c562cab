/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify - prove the structure of a whole table, entry by entry, beyond what opening it checks.
 */
#ifndef TABLE_VERIFY_H
#define TABLE_VERIFY_H

#include <stdbool.h>

#include "base/error.h"
#include "table/table.h"

/* ERR (status 65) says what is wrong where; 71: out of memory. */
bool table_verify(const struct table *table, struct error *err);

#endif
