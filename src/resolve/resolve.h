/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve - from one recipient to an answer: which keys to try, expansion, loops, limits.
 *
 * The daemon, `rcptmap resolve` and the compiler's proof all call resolve(): what is proved is what
 * will be answered. Work is bounded by the limits; memory comes from the arena alone. Any number of
 * threads may resolve from one table, each with its own arena.
 */
#ifndef RESOLVE_RESOLVE_H
#define RESOLVE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "mail/address.h"
#include "resolve/known.h"
#include "resolve/limits.h"
#include "resolve/reason.h"
#include "table/table.h"

enum verdict {
	VERDICT_FOREIGN, /* domain not ours, no key: leave it as it is */
	VERDICT_DELIVER, /* known, resolves to itself: leave it as it is */
	VERDICT_EXPAND,  /* replaced by the recipients */
	VERDICT_REFUSED, /* the entry says so; `reply` (may be a 4xx of the entry's own) */
	VERDICT_UNKNOWN, /* a domain of ours, and a sound table has no such key */
	VERDICT_DEFER,   /* any doubt; `reason` says which */
	VERDICT_DISCARD, /* accept and drop */
	VERDICTS
};

struct recipient {
	struct address address; /* internal form; the local part as the table has it, the
				 * domain as A-label (in key form) */
	/* What it is compared by, to see duplicates. */
	struct bytes key_local;
	bool needs_smtputf8; /* local part isn't ASCII */
};

struct resolution {
	enum verdict verdict;
	enum reason reason;
	/* With EXPAND and DELIVER it is TEMPLATE where a target was left out for it, else NONE. */
	struct reason_detail detail;  /* of the reason */
	struct recipient *recipients; /* of EXPAND: in the order of the lists, none twice */
	size_t recipient_count;
	struct bytes reply; /* of REFUSED by an entry: `550 5.2.1 text` */
	/* The entry that the first hit found, for log and explanation; kind only with a hit. */
	bool has_entry;
	struct table_entry entry;
	bool is_ours; /* the recipient's domain is an alias or mailbox domain */
	bool is_in_alias_domain;
	bool keeps_dead_ends; /* so DELIVER may be in an alias domain: as in Postfix */
	bool is_local;        /* in local_domains or origin */
	/* Bare <postmaster> and double-bounce at origin, where no key has targets for it: accepted,
	 * left alone. */
	bool is_exempt;
};

/* What is known of a target when its turn comes. */
enum target_turn {
	TARGET_NEW,
	TARGET_ITSELF,   /* the address whose target it is */
	TARGET_REPEATED, /* met before */
};

struct resolve_options {
	const struct resolve_limits *limits;
	/* The message may have recipients that aren't ASCII: it came with SMTPUTF8, or nobody
	 * minds. Without, an expansion to one of them is refused. */
	bool has_smtputf8;
	/* Called for each key tried, in order; NULL: nobody listens. Views live for the call. */
	void (*on_step)(void *context, struct bytes key_local, struct bytes key_domain,
			enum lookup found, const struct table_entry *entry);
	/* Called for each target when its turn comes, before its keys are tried: LEVEL 1 is a
	 * target of the recipient, which is told as LEVEL 0 when it was found. KEY_LOCAL is what
	 * the local part is compared by. NULL: nobody listens. */
	void (*on_target)(void *context, size_t level, const struct address *target,
			  struct bytes key_local, enum target_turn turn);
	/* Called for each target of which the pattern of ENTRY makes no address, and which is left
	 * out for that. NULL: nobody listens. */
	void (*on_spoiled)(void *context, const struct address *target,
			   const struct table_entry *entry);
	/*
	 * Called for each target that could only bounce: no key answers it in a domain of ours,
	 * or it would stay in an alias domain. It is left out, unless the table keeps such
	 * targets (table_rules). NULL: nobody listens.
	 */
	void (*on_dead_end)(void *context, const struct address *target,
			    const struct table_entry *entry);
	void *context;
	const struct known_entries *known; /* NULL: every way is gone; for expand() alone */
};

/* No recipient leads to more addresses than this, whatever the limits: beyond it is
 * REASON_LIMIT. */
enum { RESOLVE_ADDRESSES_MAX = 100000 };

/*
 * Resolve the path of a RCPT command (brackets and all, see address_parse_path()). Never fails:
 * what can't be told is VERDICT_DEFER. OUT_PATH may be NULL. Results live in ARENA and the table.
 */
void resolve(const struct table *table, const struct resolve_options *options, struct bytes text,
	     struct arena *arena, struct address_path *out_path, struct resolution *out_resolution);

/* The same for an address already parsed (the compiler's proof). */
void resolve_address(const struct table *table, const struct resolve_options *options,
		     const struct address *address, struct arena *arena,
		     struct resolution *out_resolution);

const char *resolve_verdict_name(enum verdict verdict);

#endif
