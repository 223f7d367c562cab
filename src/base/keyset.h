/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keyset - a set of byte strings in the memory of an arena, in the order they came.
 *
 * The members are structs of the caller that begin with a struct keyset_entry; they and their keys
 * live as long as the arena. Room is reserved before, so that inserting can't fail half-way.
 * Members are never taken out. Hashed with a seed that nobody outside knows.
 */
#ifndef BASE_KEYSET_H
#define BASE_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"

struct keyset_entry {
	struct bytes key;
	uint64_t hash;
	struct keyset_entry *next; /* the one that came after it */
};

struct keyset {
	struct arena *arena;
	uint64_t seed;
	struct keyset_entry **slots; /* a power of two of them; NULL: none yet */
	size_t slot_count;
	size_t count;
	struct keyset_entry *first;
	struct keyset_entry *last;
};

void keyset_init(struct keyset *set, struct arena *arena, uint64_t seed);

/* Room for MORE members; false: no memory, and nothing has changed. */
bool keyset_reserve(struct keyset *set, size_t more);

/* The member with KEY, or NULL. */
struct keyset_entry *keyset_find(const struct keyset *set, struct bytes key);

/* Add ENTRY, whose key is set and is not in the set, and for which there is room. */
void keyset_insert(struct keyset *set, struct keyset_entry *entry);

#endif
