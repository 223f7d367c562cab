/* SPDX-License-Identifier: BSD-2-Clause */
#include "database/row_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_ROOM = 1024, ROWS_MAX = INT32_MAX };

/* What is joined for one key: no row of a table could be as long. */
#define JOINED_BYTES_MAX ((size_t)1 << 30)

struct row_store_row {
	struct bytes key; /* the same memory in all rows of a key */
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
	free(store->slots);
	store->rows = NULL;
	store->slots = NULL;
	store->count = 0;
}

/* ---- adding ------------------------------------------------------------------------------- */

static void put_slot(uint32_t *slots, size_t slot_count, uint32_t hash, uint32_t row)
{
	size_t at = hash & (slot_count - 1);

	while (slots[at] != 0)
		at = (at + 1) & (slot_count - 1);
	slots[at] = row + 1;
}

/* Twice as many slots as rows, so that there is always an empty one. */
static bool grow(struct row_store *store)
{
	size_t room = store->room == 0 ? FIRST_ROOM : store->room * 2;
	struct row_store_row *rows;
	uint32_t *slots;

	if (store->count >= ROWS_MAX)
		return false;
	rows = realloc(store->rows, room * sizeof(*rows));
	if (rows == NULL)
		return false;
	store->rows = rows;
	slots = calloc(room * 2, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < store->count; i++)
		if (rows[i].is_first)
			put_slot(slots, room * 2, rows[i].hash, (uint32_t)i);
	free(store->slots);
	store->slots = slots;
	store->slot_count = room * 2;
	store->room = room;
	return true;
}

/* The first row of KEY, or NULL. */
static struct row_store_row *find(const struct row_store *store, struct bytes key, uint32_t hash)
{
	size_t at;

	if (store->slot_count == 0)
		return NULL;
	for (at = hash & (store->slot_count - 1); store->slots[at] != 0;
	     at = (at + 1) & (store->slot_count - 1)) {
		struct row_store_row *row = &store->rows[store->slots[at] - 1];

		if (row->hash == hash && bytes_equal(row->key, key))
			return row;
	}
	return NULL;
}

bool row_store_add(struct row_store *store, struct bytes key, struct bytes value,
		   size_t value_count, uint32_t number)
{
	uint32_t hash = (uint32_t)hash_key(key, store->seed);
	struct row_store_row *first, *row;
	uint32_t place;

	if (store->count == store->room && !grow(store))
		return false;
	place = (uint32_t)store->count;
	first = find(store, key, hash);
	row = &store->rows[place];
	*row = (struct row_store_row){
		.hash = hash,
		.value_count = (uint32_t)value_count,
		.number = number,
		.last = place,
		.is_first = first == NULL,
	};
	if (!arena_copy(&store->arena, value, &row->value))
		return false;
	if (first != NULL) {
		row->key = first->key;
		store->rows[first->last].next = place + 1;
		first->last = place;
	} else {
		if (!arena_copy(&store->arena, key, &row->key))
			return false;
		put_slot(store->slots, store->slot_count, hash, place);
		store->key_count++;
	}
	store->count++;
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
