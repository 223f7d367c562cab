/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/seen.h"

#include "base/hash.h"

enum { FEW = 12 };

void seen_init(struct seen_set *set, struct arena *arena, uint64_t seed)
{
	*set = (struct seen_set){ .arena = arena, .seed = seed };
}

static bool is_same(const struct seen *seen, struct bytes key, struct bytes domain)
{
	return bytes_equal(seen->key, key) && bytes_equal(seen->domain, domain);
}

static uint64_t hash_of(const struct seen_set *set, struct bytes key, struct bytes domain)
{
	return hash_key(key, hash_key(domain, set->seed));
}

static void put(struct seen_set *set, struct seen *seen)
{
	size_t place = seen->hash & set->slot_mask;

	while (set->slots[place] != NULL)
		place = (place + 1) & set->slot_mask;
	set->slots[place] = seen;
}

/* A table with room for four times what there is. */
static bool make_table(struct seen_set *set)
{
	size_t slots = 64;

	while (slots < set->count * 4)
		slots *= 2;
	set->slots = arena_alloc(set->arena, slots * sizeof(struct seen *));
	if (set->slots == NULL)
		return false;
	memset(set->slots, 0, slots * sizeof(struct seen *));
	set->slot_mask = slots - 1;
	for (struct seen *seen = set->first; seen != NULL; seen = seen->next) {
		seen->hash = hash_of(set, seen->key, seen->domain);
		put(set, seen);
	}
	return true;
}

static struct seen *find(const struct seen_set *set, struct bytes key, struct bytes domain,
			 uint64_t hash)
{
	struct seen *seen = set->first;

	if (set->slots == NULL) {
		while (seen != NULL && !is_same(seen, key, domain))
			seen = seen->next;
		return seen;
	}
	for (size_t place = hash & set->slot_mask; set->slots[place] != NULL;
	     place = (place + 1) & set->slot_mask)
		if (set->slots[place]->hash == hash && is_same(set->slots[place], key, domain))
			return set->slots[place];
	return NULL;
}

struct seen *seen_add(struct seen_set *set, struct bytes key, struct bytes domain, bool *out_is_new)
{
	uint64_t hash = set->slots == NULL ? 0 : hash_of(set, key, domain);
	struct seen *seen = find(set, key, domain, hash);

	*out_is_new = seen == NULL;
	if (seen != NULL)
		return seen;
	seen = arena_alloc(set->arena, sizeof(*seen));
	if (seen == NULL)
		return NULL;
	*seen = (struct seen){ .key = key, .domain = domain, .hash = hash };
	if (set->first == NULL)
		set->first = seen;
	else
		set->last->next = seen;
	set->last = seen;
	set->count++;
	if (set->slots == NULL ? set->count > FEW : set->count * 2 > set->slot_mask)
		return make_table(set) ? seen : NULL;
	if (set->slots != NULL)
		put(set, seen);
	return seen;
}
