/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_store - the rows of a database in memory, by their keys, so that no snapshot stays open while
 * they are compiled.
 *
 * All values of one key become one, joined by commas, in the order in which they came, as Postfix
 * joins the rows of an answer. Keys are compared byte by byte. Owned by one thread.
 */
#ifndef DATABASE_ROW_STORE_H
#define DATABASE_ROW_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

struct row_store_row;

struct row_store {
	struct arena arena;
	uint64_t seed;
	struct row_store_row *rows; /* in the order they came */
	size_t count;
	size_t room;
	size_t key_count;     /* once they are joined */
	struct buffer joined; /* of the last key that was read */
};

struct row_store_key {
	struct bytes key;
	struct bytes value; /* good until the next call */
	size_t value_count; /* that were added */
	uint32_t number;    /* of its first row; 0: none */
};

/* False: no seed to be had. */
bool row_store_init(struct row_store *store);
void row_store_free(struct row_store *store);

/* Add a row with VALUE_COUNT values, joined already; NUMBER is its primary key, or 0. Both texts
 * are copied. False: no memory, or more rows than there are numbers for. */
bool row_store_add(struct row_store *store, struct bytes key, struct bytes value,
		   size_t value_count, uint32_t number);

/* All rows are there: find those of one key. Once, before they are read. False: no memory. */
bool row_store_join(struct row_store *store);

/* The next key, in the order of their first rows; *POSITION begins as 0. False: that was all, or
 * there is no memory: then *POSITION is SIZE_MAX. */
bool row_store_next(struct row_store *store, size_t *position, struct row_store_key *out_key);

#endif
