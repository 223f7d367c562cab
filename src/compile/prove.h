/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove - resolve every key of a compiled table now, with the daemon's own code: loops, limits,
 * targets that could only bounce.
 *
 * An entry whose targets all lie in domains without keys is proved by a look at the flags of these
 * domains; only the others are resolved. Two threads share the table.
 */
#ifndef COMPILE_PROVE_H
#define COMPILE_PROVE_H

#include <stdbool.h>

#include "compile/builder.h"
#include "table/table.h"

/* What is found is reported with its line: as errors, or, lenient, as warnings. False: no
 * memory. */
bool prove_table(const struct table *table, const struct builder *builder);

#endif
