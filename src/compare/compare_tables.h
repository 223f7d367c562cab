/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare_tables - the keys whose answer differs between two tables, and how many.
 */
#ifndef COMPARE_COMPARE_TABLES_H
#define COMPARE_COMPARE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "settings/settings.h"
#include "show/text_output.h"
#include "table/table.h"

/* Lines of each kind: declarations, rules and patterns count like keys. */
struct compare_counts {
	uint64_t added;   /* `+` */
	uint64_t removed; /* `-` */
	uint64_t changed; /* `!` */
};

/*
 * Print a line for each difference to OUTPUT, which the caller ends; NULL: only count. False: ERR
 * has status 65, a table contradicts itself, or 71. Reads all of both.
 */
bool compare_tables(const struct table *old, const struct table *new,
		    const struct settings *settings, struct text_output *output,
		    struct compare_counts *out_counts, struct error *err);

#endif
