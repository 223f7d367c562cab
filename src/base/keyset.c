/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/keyset.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"

enum { LEAST_SLOTS = 32 };

void keyset_init(struct keyset *set, struct arena *arena, uint64_t seed)
{
	*set = (struct keyset){ .arena = arena, .seed = seed };
}

/* Where HASH and KEY are, or the empty slot where they belong. Half of the slots are empty. */
static struct keyset_entry **slot_of(const struct keyset *set, uint64_t hash, struct bytes key)
{
	size_t mask = set->slot_count - 1;
	size_t index = (size_t)hash & mask;

	while (set->slots[index] != NULL &&
	       (set->slots[index]->hash != hash || !bytes_equal(set->slots[index]->key, key)))
		index = (index + 1) & mask;
	return &set->slots[index];
}

bool keyset_reserve(struct keyset *set, size_t more)
{
	size_t wanted = set->slot_count == 0 ? LEAST_SLOTS : set->slot_count;
	struct keyset_entry **slots;

	if (more > SIZE_MAX / 4 / sizeof(*slots) - set->count)
		return false;
	while (wanted / 2 < set->count + more)
		wanted *= 2;
	if (wanted == set->slot_count)
		return true;
	slots = arena_alloc(set->arena, wanted * sizeof(*slots));
	if (slots == NULL)
		return false;
	memset(slots, 0, wanted * sizeof(*slots));
	set->slots = slots;
	set->slot_count = wanted;
	for (struct keyset_entry *entry = set->first; entry != NULL; entry = entry->next)
		*slot_of(set, entry->hash, entry->key) = entry;
	return true;
}

struct keyset_entry *keyset_find(const struct keyset *set, struct bytes key)
{
	if (set->slot_count == 0)
		return NULL;
	return *slot_of(set, hash_key(key, set->seed), key);
}

void keyset_insert(struct keyset *set, struct keyset_entry *entry)
{
	struct keyset_entry **slot;

	assert(set->count < set->slot_count / 2);
	entry->hash = hash_key(entry->key, set->seed);
	entry->next = NULL;
	slot = slot_of(set, entry->hash, entry->key);
	assert(*slot == NULL);
	*slot = entry;
	if (set->last == NULL)
		set->first = entry;
	else
		set->last->next = entry;
	set->last = entry;
	set->count++;
}
