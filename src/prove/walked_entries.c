/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/walked_entries.h"

#include <stdlib.h>

enum {
	BITS_LEAST = 10,
	BITS_MOST = 20,
	WALKED_LEAST = 1 << 12, /* some 2 MB */
};

/* A cell is one word, so that it is whole whoever reads it. All zeros: empty. */
enum {
	COUNT_BITS = 17,
	ADDRESSES_BITS = 17,
	HEIGHT_BITS = 14,
	IS_FAULTY = COUNT_BITS + ADDRESSES_BITS + HEIGHT_BITS,
	NAMES_DEAD_END,
	TAG,
	TAG_BITS = 64 - TAG,
};

_Static_assert(REACH_MAX >> COUNT_BITS == 0 && REACH_MAX >> ADDRESSES_BITS == 0 &&
		       REACH_HEIGHT_MAX >> HEIGHT_BITS == 0,
	       "a reach fits");

bool walked_entries_init(struct walked_entries *walked, const struct sound_entries *sound,
			 size_t expected)
{
	*walked = (struct walked_entries){ .sound = sound, .bits = BITS_LEAST };
	while (walked->bits < BITS_MOST && UINT64_C(1) << walked->bits < expected)
		walked->bits++;
	walked->cells = calloc(UINT64_C(1) << walked->bits, sizeof(*walked->cells));
	return walked->cells != NULL;
}

void walked_entries_free(struct walked_entries *walked)
{
	free((void *)walked->cells);
	walked->cells = NULL;
}

/* The cell of ENTRY and the tag that it has there; NULL: none. */
static _Atomic uint64_t *cell_of(const struct walked_entries *walked,
				 const struct table_entry *entry, uint64_t *out_tag)
{
	uint64_t slot;

	if (!table_slot(walked->sound->table, entry, &slot))
		return NULL;
	*out_tag = slot >> walked->bits;
	if (*out_tag >> TAG_BITS != 0)
		return NULL;
	return &walked->cells[slot & ((UINT64_C(1) << walked->bits) - 1)];
}

static void put(const struct walked_entries *walked, const struct table_entry *entry,
		uint64_t value)
{
	uint64_t tag;
	_Atomic uint64_t *cell = cell_of(walked, entry, &tag);

	if (cell != NULL)
		atomic_store_explicit(cell, tag << TAG | value, memory_order_relaxed);
}

void walked_entries_add_fault(struct walked_entries *walked, const struct table_entry *entry)
{
	put(walked, entry, UINT64_C(1) << IS_FAULTY);
}

static bool is_allowed(void *context, const struct reach *reach)
{
	const struct walked_entries *walked = context;
	const struct resolve_limits *limits = &walked->sound->limits;

	return reach->count <= limits->expansion && reach->height < limits->recursion &&
	       reach->addresses <= RESOLVE_ADDRESSES_MAX;
}

static void add_fault(void *context, const struct table_entry *entry)
{
	walked_entries_add_fault(context, entry);
}

static void add(void *context, const struct table_entry *entry, const struct reach *reach)
{
	put(context, entry,
	    (uint64_t)reach->count | (uint64_t)reach->addresses << COUNT_BITS |
		    (uint64_t)reach->height << (COUNT_BITS + ADDRESSES_BITS) |
		    (uint64_t)reach->names_dead_end << NAMES_DEAD_END);
}

/* A tree of so many leaves and levels has no more than so many addresses. */
static bool find_sound(const struct sound_entries *sound, const struct table_entry *entry,
		       struct reach *out_reach)
{
	size_t count = sound_entries_find(sound, entry);
	size_t height = atomic_load(&sound->height);

	if (count == 0)
		return false;
	*out_reach = (struct reach){
		.count = count,
		.addresses = count * height < REACH_MAX ? count * height : REACH_MAX,
		.height = height,
	};
	return true;
}

static enum known find(void *context, const struct table_entry *entry, struct reach *out_reach)
{
	const struct walked_entries *walked = context;
	uint64_t tag;
	const _Atomic uint64_t *cell;
	uint64_t value;

	if (find_sound(walked->sound, entry, out_reach))
		return KNOWN_REACH;
	cell = cell_of(walked, entry, &tag);
	value = cell == NULL ? 0 : atomic_load_explicit(cell, memory_order_relaxed);
	if (value == 0 || value >> TAG != tag)
		return KNOWN_NOTHING;
	if ((value >> IS_FAULTY & 1) != 0)
		return KNOWN_FAULTY;
	*out_reach = (struct reach){
		.count = value & ((1 << COUNT_BITS) - 1),
		.addresses = value >> COUNT_BITS & ((1 << ADDRESSES_BITS) - 1),
		.height = value >> (COUNT_BITS + ADDRESSES_BITS) & ((1 << HEIGHT_BITS) - 1),
		.names_dead_end = (value >> NAMES_DEAD_END & 1) != 0,
	};
	return out_reach->count > 0 ? KNOWN_REACH : KNOWN_NOTHING; /* empty, with tag 0 */
}

/* Enough for all that is allowed, and for most of a chain to be seen to be too long. */
static size_t walked_at_a_time(const struct resolve_limits *limits)
{
	size_t most = WALKED_LEAST;

	if (most < 2 * limits->expansion)
		most = 2 * limits->expansion;
	return most < 4 * limits->recursion ? 4 * limits->recursion : most;
}

struct known_entries walked_entries_known(struct walked_entries *walked)
{
	const struct resolve_limits *limits = &walked->sound->limits;

	return (struct known_entries){
		.find = find,
		.add = add,
		.add_fault = add_fault,
		.is_allowed = is_allowed,
		.context = walked,
		.addresses_max = walked_at_a_time(limits),
		.height_max = limits->recursion - 1,
	};
}
