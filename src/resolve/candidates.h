/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * candidates - which keys to try for one address, in which order; the first hit ends it.
 *
 *   user+ext@domain, user@domain; in a local domain user+ext, user; @domain
 *
 * Measured on Postfix 3.7 and 3.11 (mail_addr_find); the bare-domain key is never asked.
 */
#ifndef RESOLVE_CANDIDATES_H
#define RESOLVE_CANDIDATES_H

#include "resolve/resolve.h"
#include "table/table.h"

struct candidate_hit {
	struct table_entry entry;
	bool is_catch_all;	/* the extension, if any, stays part of the user */
	bool strips_extension;	/* found without it: pass it on to the targets */
};

/* LOCAL is folded. OPTIONS for the trace alone. */
enum lookup candidates_find(const struct table *table, const struct resolve_options *options,
                            const struct table_domain *domain, struct bytes local,
                            struct candidate_hit *out_hit);

#endif
