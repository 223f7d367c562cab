/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern_cost - what a rule costs at worst, measured in steps, not in time: asked for addresses
 * that are as long as addresses are, some of which nobody has but somebody may send.
 */
#ifndef PROVE_PATTERN_COST_H
#define PROVE_PATTERN_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "table/patterns.h"

/* A fifth of what one recipient may cost: a rule that takes more leaves too little to others. */
enum { PATTERN_COSTLY_STEPS = PATTERN_BUDGET_STEPS / 5 };

enum { PATTERN_PROBE_BYTES_MAX = 400 };

/* What was asked, and what it took. */
struct pattern_cost {
	char address[PATTERN_PROBE_BYTES_MAX + 1];
	uint64_t steps;    /* of the rule by itself */
	uint32_t given_up; /* the global line of the rule at which all together gave up; 0: none */
	bool has_failed;   /* no memory */
};

/* The most that the rule or `if` NUMBER (see table_try_pattern()) takes for long addresses that end
 * like ADDRESS, or elsewhere. *OUT_COST begins empty. */
void pattern_cost_of_rule(const struct table *table, uint64_t number, struct bytes address,
			  struct pattern_cost *out_cost);

/* Whether all rules together give up for one of these. */
void pattern_cost_of_all(const struct table *table, struct bytes address,
			 struct pattern_cost *out_cost);

#endif
