/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove - that a compiled table is sound, and that every key of it resolves: loops, limits, targets
 * that could only bounce.
 *
 * While the table is verified, an entry whose targets all lie in domains without keys is proved by
 * the flags of these domains. Most others follow from that (sound_rounds.h); what is left is
 * resolved with the daemon's own code. Two threads share the table.
 */
#ifndef PROVE_PROVE_H
#define PROVE_PROVE_H

#include <stdbool.h>

#include "resolve/resolve.h"
#include "sources/line_map.h"
#include "sources/report.h"
#include "table/table.h"

struct proof {
	struct resolve_limits limits;
	const struct line_map *lines; /* of the sources that TABLE was made of */
	struct report *report;
	bool is_lenient;       /* faults are warnings */
	bool wants_postmaster; /* warn of domains of ours that don't answer for theirs */
};

/* What is found is reported with its line. False: ERR has status 65, the file isn't what was to be
 * written, or 71, no memory. */
bool prove_table(const struct table *table, const struct proof *proof, struct error *err);

#endif
