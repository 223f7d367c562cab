/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove_patterns - what can be said of pattern rules before an address comes: who answers for users
 * that nobody has, which fixed targets could only bounce, which rules lead in circles or make no
 * address, and which cost too much.
 */
#ifndef PROVE_PROVE_PATTERNS_H
#define PROVE_PROVE_PATTERNS_H

#include "prove/proof_findings.h"
#include "resolve/resolve.h"
#include "table/table.h"

/*
 * Warn of each rule that answers for unlikely users of one of our domains: there nobody is unknown
 * any more (the first thousand domains are asked). An error for each target without a group in it
 * that no key of ours delivers, or that isn't sound for another reason; for a rule that isn't sound
 * for an address made from its own expression; and for one that takes too many steps. A warning
 * for a rule with groups of which no such address was found.
 */
void prove_patterns(const struct table *table, const struct resolve_limits *limits,
		    struct proof_findings *findings);

#endif
