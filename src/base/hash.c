/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <stdlib.h>
#include <sys/random.h>

struct hash_stream {
	XXH3_state_t *state;
};

uint64_t hash_block(struct bytes block)
{
	return XXH3_64bits(block.data, block.size);
}

struct hash_stream *hash_stream_new(void)
{
	struct hash_stream *stream = malloc(sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->state = XXH3_createState();
	if (stream->state == NULL) {
		free(stream);
		return NULL;
	}
	(void)XXH3_64bits_reset(stream->state); /* fails for a null state only */
	return stream;
}

void hash_stream_add(struct hash_stream *stream, struct bytes piece)
{
	(void)XXH3_64bits_update(stream->state, piece.data, piece.size); /* null state only */
}

uint64_t hash_stream_result(const struct hash_stream *stream)
{
	return XXH3_64bits_digest(stream->state);
}

void hash_stream_free(struct hash_stream *stream)
{
	if (stream == NULL)
		return;
	(void)XXH3_freeState(stream->state); /* always succeeds */
	free(stream);
}

bool hash_random_seed(uint64_t *out_seed)
{
	return getrandom(out_seed, sizeof(*out_seed), 0) == (ssize_t)sizeof(*out_seed);
}
