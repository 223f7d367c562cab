/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/domain_set.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/le.h"
#include "table/format.h"
#include "table/table.h"

enum {
	FIRST_SLOTS = 1024,
	FIRST_ROOM = 16384,
	NAME_MAX_BYTES = 255,
};

bool domain_set_init(struct domain_set *set, uint64_t seed)
{
	*set = (struct domain_set){ .seed = seed, .slot_mask = FIRST_SLOTS - 1 };
	set->slots = calloc(FIRST_SLOTS, sizeof(*set->slots));
	set->records = calloc(1, FIRST_ROOM);
	set->room = FIRST_ROOM;
	set->size = DOMAIN_UNIT; /* ref 0 is none */
	return set->slots != NULL && set->records != NULL;
}

void domain_set_free(struct domain_set *set)
{
	free(set->slots);
	free(set->records);
	*set = (struct domain_set){ .slots = NULL };
}

static unsigned char *record_at(const struct domain_set *set, uint32_t ref)
{
	return set->records + (size_t)ref * DOMAIN_UNIT;
}

struct bytes domain_set_name(const struct domain_set *set, uint32_t ref)
{
	const unsigned char *record = record_at(set, ref);

	return bytes_make(record + DOMAIN_NAME, record[DOMAIN_LENGTH]);
}

static uint32_t slot_ref(uint32_t slot)
{
	return slot & DOMAIN_REF_MAX;
}

/* The highest bits: the lowest say where the slot is. */
static uint32_t slot_make(uint32_t ref, uint64_t hash)
{
	return ref | ((uint32_t)(hash >> 32) & ~(uint32_t)DOMAIN_REF_MAX);
}

static bool grow_slots(struct domain_set *set)
{
	uint64_t mask = set->slot_mask * 2 + 1;
	uint32_t *slots = calloc(mask + 1, sizeof(*slots));

	if (slots == NULL)
		return false;
	for (uint64_t i = 0; i <= set->slot_mask; i++) {
		uint64_t place;

		if (set->slots[i] == 0)
			continue;
		place = hash_key(domain_set_name(set, slot_ref(set->slots[i])), set->seed) & mask;
		while (slots[place] != 0)
			place = (place + 1) & mask;
		slots[place] = set->slots[i];
	}
	free(set->slots);
	set->slots = slots;
	set->slot_mask = mask;
	return true;
}

static size_t record_bytes(size_t name_size)
{
	size_t size = DOMAIN_NAME + name_size + 1;

	return (size + DOMAIN_UNIT - 1) / DOMAIN_UNIT * DOMAIN_UNIT;
}

/* No room for another name of any length. */
bool domain_set_is_full(const struct domain_set *set)
{
	return set->size / DOMAIN_UNIT >
	       DOMAIN_REF_MAX - record_bytes(NAME_MAX_BYTES) / DOMAIN_UNIT;
}

static uint32_t append_record(struct domain_set *set, struct bytes name)
{
	size_t size = record_bytes(name.size);
	uint32_t ref = (uint32_t)(set->size / DOMAIN_UNIT);
	unsigned char *record;

	if (set->size / DOMAIN_UNIT > DOMAIN_REF_MAX - size / DOMAIN_UNIT)
		return 0;
	if (set->room - set->size < size) {
		unsigned char *records = realloc(set->records, set->room * 2);

		if (records == NULL)
			return 0;
		set->records = records;
		set->room *= 2;
	}
	record = record_at(set, ref);
	memset(record, 0, size);
	record[DOMAIN_LENGTH] = (unsigned char)name.size;
	if (name.size > 0)
		memcpy(record + DOMAIN_NAME, name.data, name.size);
	set->size += size;
	set->count++;
	return ref;
}

static inline bool is_named(const struct domain_set *set, uint32_t ref, struct bytes name)
{
	const unsigned char *record = record_at(set, ref);

	return record[DOMAIN_LENGTH] == name.size &&
	       bytes_same(record + DOMAIN_NAME, name.data, name.size);
}

/* The slot of NAME, or the free one where it belongs. */
static uint32_t *slot_of(const struct domain_set *set, struct bytes name, uint64_t hash)
{
	const uint32_t tag = slot_make(0, hash);
	uint64_t place = hash & set->slot_mask;

	for (;; place = (place + 1) & set->slot_mask) {
		uint32_t slot = set->slots[place];

		if (slot == 0 || ((slot & ~(uint32_t)DOMAIN_REF_MAX) == tag &&
				  is_named(set, slot_ref(slot), name)))
			return &set->slots[place];
	}
}

/*
 * Where the ref of NAME would stand in set->recent; NULL: the name is too short to be worth it.
 * Most targets lie in a few domains, so the same few are wanted again and again. A collision only
 * costs time.
 */
static uint32_t *recent_place(struct domain_set *set, struct bytes name)
{
	uint64_t begin, end;

	if (name.size < sizeof(begin))
		return NULL;
	memcpy(&begin, name.data, sizeof(begin));
	memcpy(&end, name.data + name.size - sizeof(end), sizeof(end));
	begin += end * UINT64_C(0x9e3779b97f4a7c15);
	return &set->recent[(begin * UINT64_C(0xd6e8feb86659fd93) >> 32) % DOMAIN_SET_RECENT];
}

/* Ref 0 has no name, and so is never NAME. */
static bool is_recent(const struct domain_set *set, const uint32_t *place, struct bytes name)
{
	return place != NULL && is_named(set, *place, name);
}

static uint32_t remember(uint32_t *place, uint32_t ref)
{
	if (place != NULL && ref != 0)
		*place = ref;
	return ref;
}

/* Not inline: the fast path in the caller needs fewer registers without it. */
static __attribute__((noinline)) uint32_t find_slowly(struct domain_set *set, struct bytes name,
						      uint32_t *place)
{
	return remember(place, slot_ref(*slot_of(set, name, hash_key(name, set->seed))));
}

uint32_t domain_set_find(struct domain_set *set, struct bytes name)
{
	uint32_t *place = recent_place(set, name);

	return is_recent(set, place, name) ? *place : find_slowly(set, name, place);
}

uint32_t domain_set_add(struct domain_set *set, struct bytes name)
{
	uint32_t *place = recent_place(set, name);
	uint32_t *slot;
	uint64_t hash;

	if (is_recent(set, place, name))
		return *place;
	if (name.size > NAME_MAX_BYTES)
		return 0;
	if (set->count * 2 > set->slot_mask && !grow_slots(set))
		return 0;
	hash = hash_key(name, set->seed);
	slot = slot_of(set, name, hash);
	if (*slot == 0) {
		uint32_t ref = append_record(set, name);

		if (ref == 0)
			return 0;
		*slot = slot_make(ref, hash);
	}
	return remember(place, slot_ref(*slot));
}

uint64_t domain_set_hash(struct domain_set *set, uint32_t ref)
{
	if (set->hashed_ref != ref) {
		set->hashed_ref = ref;
		set->hashed = hash_key(domain_set_name(set, ref), set->seed);
	}
	return set->hashed;
}

unsigned domain_set_flags(const struct domain_set *set, uint32_t ref)
{
	return record_at(set, ref)[DOMAIN_FLAGS];
}

void domain_set_add_flags(struct domain_set *set, uint32_t ref, unsigned flags)
{
	record_at(set, ref)[DOMAIN_FLAGS] |= (unsigned char)flags;
}

void domain_set_put_flags(struct domain_set *set, uint32_t ref, unsigned flags)
{
	record_at(set, ref)[DOMAIN_FLAGS] = (unsigned char)flags;
}

void domain_set_catch_all(struct domain_set *set, uint32_t ref, uint32_t list)
{
	le32_store(record_at(set, ref) + DOMAIN_CATCH_ALL, list);
}

uint32_t domain_set_next(const struct domain_set *set, uint32_t ref)
{
	size_t offset =
		ref == 0 ? DOMAIN_UNIT
			 : (size_t)ref * DOMAIN_UNIT + record_bytes(domain_set_name(set, ref).size);

	return offset < set->size ? (uint32_t)(offset / DOMAIN_UNIT) : 0;
}

struct bytes domain_set_bytes(const struct domain_set *set)
{
	return bytes_make(set->records, set->size);
}

static void index_put(unsigned char *index, uint64_t buckets, uint64_t hash, uint32_t reference)
{
	uint64_t bucket = format_high64(hash, buckets);

	for (;;) {
		unsigned char *slots = index + bucket * BUCKET_BYTES;

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			if (le32_load(slots + BUCKET_REFS + 4UL * i) != 0)
				continue;
			le32_store(slots + 4UL * i, (uint32_t)hash);
			le32_store(slots + BUCKET_REFS + 4UL * i, reference);
			return;
		}
		bucket = bucket + 1 == buckets ? 0 : bucket + 1;
	}
}

unsigned char *domain_set_index(const struct domain_set *set, size_t *out_size)
{
	uint64_t probed = 0;
	uint64_t buckets;
	unsigned char *index;

	for (uint32_t ref = domain_set_next(set, 0); ref != 0; ref = domain_set_next(set, ref))
		probed += (domain_set_flags(set, ref) & TABLE_DOMAIN_PROBED) != 0;
	buckets = probed * 100 / (65UL * BUCKET_SLOTS) + 1; /* 65 % full */
	index = calloc(buckets, BUCKET_BYTES);
	if (index == NULL)
		return NULL;
	for (uint32_t ref = domain_set_next(set, 0); ref != 0; ref = domain_set_next(set, ref)) {
		unsigned flags = domain_set_flags(set, ref);

		if ((flags & TABLE_DOMAIN_PROBED) == 0)
			continue;
		index_put(index, buckets, hash_key(domain_set_name(set, ref), set->seed),
			  ref << BUCKET_REF_FLAG_BITS |
				  (flags & (TABLE_DOMAIN_CATCH_ALL | TABLE_DOMAIN_EXTENSIONS)));
	}
	*out_size = buckets * BUCKET_BYTES;
	return index;
}
