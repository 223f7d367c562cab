/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expand - from the entry of one address to its final recipients.
 *
 * A walk in depth over the targets. Each address is looked up once; reached again it is there once.
 * An address that maps to itself ends there and stays; any other way back to an address whose
 * expansion isn't finished is a loop. Limits count as Postfix's cleanup(8) does, see expand.c.
 */
#ifndef RESOLVE_EXPAND_H
#define RESOLVE_EXPAND_H

#include "resolve/candidates.h"
#include "resolve/resolve.h"

struct expansion {
	enum reason reason; /* NONE, LOOP, LIMIT, BROKEN, MEMORY, PATTERN */
	struct reason_detail detail;
	struct recipient *recipients;
	size_t recipient_count;
	bool is_discarded; /* some target leads to a `discard:` entry */
	/* A pattern made no address of some target, which is left out; the first one's place is
	 * in the detail. is_root: it was the recipient's own pattern. */
	bool is_spoiled;
	bool is_root_spoiled;
	struct bytes reply; /* of the first target that an `error:` entry refuses; or empty */
	/* With options.known. */
	bool leads_to_fault; /* to one that is KNOWN_FAULTY, or further than is allowed */
	bool is_circular;    /* something leads back on the way: that limits hold isn't known */
};

/* ENTRY and HIT are what candidates_find() found for FROM, of which written.local is used, too. */
void expand(const struct inquiry *inquiry, const struct candidate *from,
	    const struct table_entry *entry, const struct candidate_hit *hit,
	    struct expansion *out_expansion);

#endif
