/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seen - the addresses one expansion has met, each once.
 *
 * A few are compared one by one; from then on a hash table in the arena finds them. Its seed is one
 * that nobody outside knows, so that nobody can choose addresses that collide.
 */
#ifndef RESOLVE_SEEN_H
#define RESOLVE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "resolve/known.h"

struct seen {
	struct bytes key;    /* folded local part */
	struct bytes domain; /* folded */
	bool is_open;        /* its expansion isn't finished */
	bool maps_to_itself;
	bool has_stayed;    /* and has been counted as a recipient of its own */
	bool is_dead;       /* final, and could only bounce */
	bool is_circular;   /* something on the way leads back to it, or to who leads to it */
	size_t count;       /* recipients, as Postfix counts them: repeated ones too */
	size_t height;      /* hops along first targets */
	struct reach reach; /* for who asks how far it leads */
	struct seen *next;  /* in the order met */
	uint64_t hash;      /* once there is a table */
	uint64_t named_by;  /* if it is dead: the place of the entry that was last told so */
};

struct seen_set {
	struct arena *arena;
	struct seen *first;
	struct seen *last;
	size_t count;
	struct seen **slots;
	size_t slot_mask;
	uint64_t seed;
};

/* SEED: table_seed() of the table that is asked. */
void seen_init(struct seen_set *set, struct arena *arena, uint64_t seed);

/* The one with this key, or a new one (*out_is_new); NULL: no memory. */
struct seen *seen_add(struct seen_set *set, struct bytes key, struct bytes domain,
		      bool *out_is_new);

#endif
