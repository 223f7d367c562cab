/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove - that a compiled table is sound, and that every key of it resolves: loops, limits, targets
 * that could only bounce.
 *
 * While the table is verified, an entry whose targets all lie in domains without keys is proved by
 * the flags of these domains. Most others follow from that (known.h); what is left is resolved with
 * the daemon's own code. Two threads share the table.
 */
#ifndef COMPILE_PROVE_H
#define COMPILE_PROVE_H

#include <stdbool.h>

#include "compile/builder.h"
#include "table/table.h"

/* What is found is reported with its line: as errors, or, lenient, as warnings. False: ERR has
 * status 65, the file isn't what was to be written, or 71, no memory. */
bool prove_table(const struct table *table, const struct builder *builder, struct error *err);

#endif
