/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash - the hash of a key, and the checksum of a file (both XXH3, 64 bits).
 *
 * The key hash is seeded at random by each compilation, so that nobody can prepare keys that
 * collide. Neither is a signature: they find accidents, not malice.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

static inline uint64_t hash_key(struct bytes key, uint64_t seed)
{
	return XXH3_64bits_withSeed(key.data, key.size, seed);
}

/* Of a whole block of memory. */
uint64_t hash_block(struct bytes block);

/* The same over pieces that come one after the other. */
struct hash_stream;
struct hash_stream *hash_stream_new(void); /* NULL: no memory */
void hash_stream_add(struct hash_stream *stream, struct bytes piece);
uint64_t hash_stream_result(const struct hash_stream *stream);
void hash_stream_free(struct hash_stream *stream);

/* A seed nobody can guess; false if the system has no randomness to give. */
bool hash_random_seed(uint64_t *out_seed);

#endif
