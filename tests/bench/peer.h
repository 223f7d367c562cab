/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer - one way to keep an alias table and to ask it; the benchmark knows nothing else of it.
 *
 * A peer that keeps the right-hand side as text says how to fetch it, and walk.c does the rest the
 * same way for all of them. Ours has targets instead of text and brings its own walk. Whatever is
 * asked must touch what it finds and add it to *sum, as peer_weigh() does: so nothing is optimised
 * away, and equal sums say that two peers gave equal answers.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "text.h"

enum { PEER_BATCH = 32 };

struct peer {
	const char *name;
	const char *suffix; /* of its file */
	void (*build)(const struct text_table *table, const char *path);
	void *(*open)(const char *path);
	void (*close)(void *handle);
	/* A peer with text: the right-hand side of KEY, good until the next call. */
	bool (*fetch)(void *handle, struct bytes key, struct bytes *out_value);
	bool is_fleeting; /* and no longer: a walk must copy it */
	/* Any other: see walk.h for what is asked. */
	bool (*find)(void *handle, struct bytes key, uint64_t *sum);
	/* Many keys at once, at most PEER_BATCH; NULL: one after the other. How many it has. */
	size_t (*find_many)(void *handle, const struct bytes *keys, size_t count, uint64_t *sum);
	bool (*find_all)(void *handle, struct bytes key, uint64_t *sum);
	bool (*ask)(void *handle, struct bytes address, uint64_t *sum);
	unsigned (*expand)(void *handle, struct bytes address, uint64_t *sum);
	unsigned (*resolve)(void *handle, struct bytes address, uint64_t *sum);
};

/* NULL-terminated. */
extern const struct peer *const peers[];
const struct peer *peer_find(const char *name);

extern const struct peer peer_cdb;
extern const struct peer peer_lmdb;
extern const struct peer peer_lmdb_transaction;
extern const struct peer peer_hash;
extern const struct peer peer_sqlite;
extern const struct peer peer_cmph;
extern const struct peer peer_openrcpt;

/* Read first and last byte of an address given as one or two pieces. */
static inline uint64_t peer_weigh(char first, char last, size_t size)
{
	return (uint64_t)(unsigned char)first * 31 + (unsigned char)last + size;
}

#endif
