/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * patterns - the rules of regexp: and pcre: sources, tried in their order.
 *
 * A rule whose expression ends in a literal domain is filed under it and tried for its addresses
 * only; the others are tried for all. The order of the rules is kept all the same. Compiled when
 * the table is opened.
 *
 * Work is bounded by a budget of steps of PCRE2, some 14 ns each. What each rule may take without a
 * look at it (32 steps) is not counted: so many rules are what the administrator asked for. To need
 * more than the budget is GAVE_UP (defer), never ABSENT; but a rule whose expression has literal
 * text in it, as most have, is ABSENT for an address without it, however much it costs.
 */
#ifndef TABLE_PATTERNS_H
#define TABLE_PATTERNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "table/table.h"

enum table_pattern_kind {
	TABLE_PATTERN_RULE,
	TABLE_PATTERN_IF, /* what follows, up to its endif, counts only if this matches */
	TABLE_PATTERN_ENDIF,
};

enum table_pattern_flag {
	TABLE_PATTERN_NEGATED = 1, /* `!/…/` */
	TABLE_PATTERN_CASELESS = 2,
	TABLE_PATTERN_MULTILINE = 4,
	TABLE_PATTERN_DOTALL = 8,
	TABLE_PATTERN_EXTENDED = 16,
	TABLE_PATTERN_ANCHORED = 32,
	TABLE_PATTERN_DOLLAR_ENDONLY = 64,
	TABLE_PATTERN_UNGREEDY = 128,
};

/* One rule as it stands in the file. */
struct table_pattern {
	enum table_pattern_kind kind;
	unsigned flags;
	uint32_t global_line;
	enum table_entry_kind result;
	struct bytes expression;
	struct bytes exception;
	struct bytes value;  /* template of a right-hand side; or a reply */
	struct bytes domain; /* filed under it (lower case); empty: tried for all */
};

bool table_has_patterns(const struct table *table);

/* What all matches for one recipient may take together: less than 5 ms. */
enum { PATTERN_BUDGET_STEPS = 250000 };

struct pattern_budget {
	uint64_t left; /* steps; begins as PATTERN_BUDGET_STEPS */
};

/*
 * Find the first rule that matches SUBJECT, an address in external form as it was written, in the
 * domain DOMAIN_KEY (folded); rules from BEFORE_LINE on are left out (UINT32_MAX: none). What it
 * makes of the address is in OUT_ENTRY: with TABLE_ENTRY_TARGETS pattern_value is a right-hand
 * side, in ARENA, that has the separators of the rule's value and no others: what is substituted
 * holds, outside quotes, letters, digits and the other characters of an atom, dots, `@`; half a
 * quoted string where the value as a whole closes it, and separates nothing within.
 * PATTERN_UNSAFE where the address has others there, or nothing is left of the value.
 */
enum pattern_lookup {
	PATTERN_FOUND,
	PATTERN_ABSENT,
	PATTERN_BROKEN,
	PATTERN_NO_MEMORY,
	PATTERN_GAVE_UP, /* after too many steps; OUT_ENTRY has the place of the rule, 0: of none,
			  * since SUBJECT is too long for any */
	PATTERN_UNSAFE,  /* would be substituted, but can't be without changing the list, or
			  * would leave nothing; OUT_ENTRY has the place of the rule */
};
enum pattern_lookup table_match(const struct table *table, struct bytes subject,
				struct bytes domain_key, uint32_t before_line, struct arena *arena,
				struct table_entry *out_entry);

/* The same with what is left of a budget that other matches share. */
struct pattern_question {
	struct bytes subject;
	struct bytes domain_key;
	uint32_t before_line;
	struct arena *arena;
	struct pattern_budget *budget;
};
enum pattern_lookup table_match_within(const struct table *table,
				       const struct pattern_question *question,
				       struct table_entry *out_entry);

/*
 * Does the rule or `if` with NUMBER, counted from 0 as table_next_pattern() does, match SUBJECT by
 * itself, whatever stands around it? FOUND, ABSENT, BROKEN, NO_MEMORY, GAVE_UP. *OUT_STEPS: what it
 * took, or more than PATTERN_BUDGET_STEPS.
 */
enum pattern_lookup table_try_pattern(const struct table *table, uint64_t number,
				      struct bytes subject, uint64_t *out_steps);

/* The rule at *POSITION (begin with 0), for dump and checks. */
enum lookup table_next_pattern(const struct table *table, uint64_t *position,
			       struct table_pattern *out_pattern);

/* Can PATTERN be compiled? ERR (status 65; 71 without memory) says why not. *out_groups: how many
 * of its groups match something; none if it is negated. */
bool table_pattern_check(const struct table_pattern *pattern, uint32_t *out_groups,
			 struct error *err);

/* The literal domain that an expression ends in, lower case, in ARENA; empty: none. False: no
 * memory. */
bool table_pattern_domain(const struct table_pattern *pattern, struct arena *arena,
			  struct bytes *out_domain);

#endif
