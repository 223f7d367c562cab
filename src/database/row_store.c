/* SPDX-License-Identifier: BSD-2-Clause */
#include "database/row_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_ROOM = 1024, ROWS_MAX = INT32_MAX, AHEAD = 16 };

/* What is joined for one key: no row of a table could be as long. */
#define JOINED_BYTES_MAX ((size_t)1 << 30)

struct row_store_row {
	struct bytes key;
	struct bytes value;
	uint32_t hash;
	uint32_t value_count;
	uint32_t number;
	uint32_t next; /* row + 1 of the next with this key; 0: none */
	uint32_t last; /* of the first row: the last one's place */
	bool is_first;
};

bool row_store_init(struct row_store *store)
{
	*store = (struct row_store){ .count = 0 };
	arena_init(&store->arena, SIZE_MAX / 4);
	buffer_init(&store->joined, JOINED_BYTES_MAX);
	return hash_random_seed(&store->seed);
}

void row_store_free(struct row_store *store)
{
	arena_free(&store->arena);
	buffer_free(&store->joined);
	free(store->rows);
	store->rows = NULL;
	store->count = 0;
}

/* ---- adding ------------------------------------------------------------------------------- */

static bool grow(struct row_store *store)
{
	size_t room = store->room == 0 ? FIRST_ROOM : store->room * 2;
	struct row_store_row *rows = NULL;

	if (store->count < ROWS_MAX)
		rows = realloc(store->rows, room * sizeof(*rows));
	if (rows == NULL)
		return false;
	store->rows = rows;
	store->room = room;
	return true;
}

bool row_store_add(struct row_store *store, struct bytes key, struct bytes value,
		   size_t value_count, uint32_t number)
{
	struct row_store_row *row;

	if (store->count == store->room && !grow(store))
		return false;
	row = &store->rows[store->count];
	*row = (struct row_store_row){
		.hash = (uint32_t)hash_key(key, store->seed),
		.value_count = (uint32_t)value_count,
		.number = number,
	};
	if (!arena_copy(&store->arena, key, &row->key) ||
	    !arena_copy(&store->arena, value, &row->value))
		return false;
	store->count++;
	return true;
}

/* ---- joining ------------------------------------------------------------------------------ */

/* The row PLACE becomes the first of its key, or the next one of it. A slot has the hash in its
 * upper half, so that a row of another key need not be looked at. */
static void join(struct row_store *store, uint64_t *slots, size_t mask, uint32_t place)
{
	struct row_store_row *row = &store->rows[place];
	size_t at;

	for (at = row->hash & mask; slots[at] != 0; at = (at + 1) & mask) {
		struct row_store_row *first;

		if ((uint32_t)(slots[at] >> 32) != row->hash)
			continue;
		first = &store->rows[(uint32_t)slots[at] - 1];
		if (!bytes_equal(first->key, row->key))
			continue;
		store->rows[first->last].next = place + 1;
		first->last = place;
		return;
	}
	slots[at] = (uint64_t)row->hash << 32 | (place + 1);
	row->is_first = true;
	row->last = place;
	store->key_count++;
}

bool row_store_join(struct row_store *store)
{
	size_t slot_count = FIRST_ROOM;
	uint64_t *slots;

	while (slot_count < 2 * store->count)
		slot_count *= 2;
	slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < store->count; i++) {
		/* The slots lie all over a block that no cache holds: ask for them in time. */
		if (i + AHEAD < store->count)
			__builtin_prefetch(&slots[store->rows[i + AHEAD].hash & (slot_count - 1)],
					   1);
		join(store, slots, slot_count - 1, (uint32_t)i);
	}
	free(slots);
	return true;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_key(struct row_store *store, const struct row_store_row *row,
		     struct row_store_key *out_key)
{
	*out_key = (struct row_store_key){
		.key = row->key,
		.value = row->value,
		.value_count = row->value_count,
		.number = row->number,
	};
	if (row->next == 0)
		return true;
	buffer_clear(&store->joined);
	(void)buffer_append(&store->joined, row->value); /* checked at the end */
	while (row->next != 0) {
		row = &store->rows[row->next - 1];
		if (store->joined.size > 0 && row->value.size > 0)
			(void)buffer_append_byte(&store->joined, ','); /* likewise */
		(void)buffer_append(&store->joined, row->value);       /* likewise */
		out_key->value_count += row->value_count;
	}
	out_key->value = buffer_bytes(&store->joined);
	return !store->joined.has_failed;
}

bool row_store_next(struct row_store *store, size_t *position, struct row_store_key *out_key)
{
	while (*position < store->count && !store->rows[*position].is_first)
		(*position)++;
	if (*position >= store->count)
		return false;
	if (read_key(store, &store->rows[*position], out_key)) {
		(*position)++;
		return true;
	}
	*position = SIZE_MAX;
	return false;
}
