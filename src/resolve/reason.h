/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reason - why a recipient is deferred or refused, for log, `rcptmap resolve -v` and the proof.
 *
 * What the client hears is the answer's (answer.h), and says less: the names of limits and lines of
 * tables are nobody's business but the administrator's.
 */
#ifndef RESOLVE_REASON_H
#define RESOLVE_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "table/table.h"

/* Why a recipient is deferred, or refused without an entry that says so. */
enum reason {
	REASON_NONE,
	REASON_LOOP,           /* 451 4.6.0 */
	REASON_LIMIT,          /* 451 4.6.0 */
	REASON_TEMPLATE,       /* 451 4.6.0: a pattern makes no address of a target */
	REASON_DEAD_END,       /* 451 4.6.0: every target could only bounce */
	REASON_BROKEN,         /* 451 4.3.0 */
	REASON_MEMORY,         /* 451 4.3.0 */
	REASON_PATTERN,        /* 451 4.3.0: a pattern would need too many steps */
	REASON_UNPRINTABLE,    /* 451 4.3.0: a target can't be told to the MTA */
	REASON_BAD_ADDRESS,    /* verdict refused, 550 5.1.3: malformed, or never part of a key */
	REASON_ROUTING,        /* verdict refused, 550 5.1.3: sender-specified routing to us */
	REASON_NEEDS_SMTPUTF8, /* verdict refused, 550 5.6.7: a target isn't ASCII */
};

/* The limits there are; the first four are settings. */
enum reason_limit {
	LIMIT_EXPANSION,
	LIMIT_RECURSION,
	LIMIT_ADDRESS_BYTES,
	LIMIT_MESSAGE_RECIPIENTS,
	LIMIT_KEY_BYTES,
	LIMIT_ADDRESSES,
};

/* What a reason is about: a plain value, copied about. */
struct reason_detail {
	/* Of LIMIT. Counting ends where it is reached, so there may be more than FOUND. */
	enum reason_limit limit;
	uint64_t found;
	uint64_t allowed;
	/* Of PATTERN: its place is that of the rule; 0: no rule's, the address is too long. Of
	 * TEMPLATE: likewise. Of LOOP: of the rule that leads back, or lets an address
	 * grow; or 0. */
	uint64_t place;
};

/* A few words, without the detail. */
const char *reason_name(enum reason reason);

/*
 * Append the words, the limit with its numbers, the pattern with its source and line, in which
 * TABLE is asked. Nothing for REASON_NONE. Printable ASCII. False: no room.
 */
bool reason_print(const struct table *table, enum reason reason, const struct reason_detail *detail,
		  struct buffer *out_text);

#endif
