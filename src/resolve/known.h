/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known - what whoever expands many addresses of one table knows of its entries, so that expand()
 * goes no way twice.
 *
 * For the proof, which asks whether limits hold and not for recipients. What leads to an entry that
 * is known leads as far as that and a hop more: nothing behind it is walked or listed, and limits
 * are the caller's. Reaches are upper bounds. They are exact but where an address that
 * maps to itself is met again.
 */
#ifndef RESOLVE_KNOWN_H
#define RESOLVE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "table/table.h"

/* A reach doesn't grow beyond these, which are beyond every limit. */
enum { REACH_MAX = (1 << 17) - 1, REACH_HEIGHT_MAX = (1 << 14) - 1 };

/* Where an address leads to, at most. */
struct reach {
	size_t count;        /* recipients, as Postfix counts them: repeated ones too */
	size_t addresses;    /* on the way, the recipients among them */
	size_t height;       /* hops along first targets */
	bool names_dead_end; /* one of its own targets could only bounce */
};

enum known { KNOWN_NOTHING, KNOWN_REACH, KNOWN_FAULTY };

/* Any thread. */
struct known_entries {
	/* How far does ENTRY lead? */
	enum known (*find)(void *context, const struct table_entry *entry, struct reach *out_reach);
	/* ENTRY leads so far, and nothing on the way leads back to it. It is allowed. */
	void (*add)(void *context, const struct table_entry *entry, const struct reach *reach);
	/* ENTRY leads to a loop, or further than is allowed. */
	void (*add_fault)(void *context, const struct table_entry *entry);
	bool (*is_allowed)(void *context, const struct reach *reach);
	void *context;
	size_t addresses_max; /* to be walked at a time, else it is over LIMIT_ADDRESSES */
	size_t height_max;    /* what is_allowed() allows */
};

#endif
