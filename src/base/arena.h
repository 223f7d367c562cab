/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena - memory that lives and dies together.
 *
 * What a message needs comes from its arena and is never freed one by one. After arena_clear() the
 * first chunk is kept, so that a steady stream of messages allocates nothing from the heap.
 * Not for several threads at once. Memory is aligned for any type and not zeroed.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *first;
	struct arena_chunk *current;
	size_t used_bytes;  /* of all chunks together */
	size_t limit_bytes; /* arena_alloc() fails beyond this */
};

/* Set up; takes no memory yet. */
void arena_init(struct arena *arena, size_t limit_bytes);

/* SIZE bytes, or NULL: no memory, or the limit is reached. SIZE 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);

/*
 * These return false and write no result if there is no memory. A caller must never take that for
 * an empty text.
 */

/* A copy of B followed by a NUL. */
bool arena_copy(struct arena *arena, struct bytes b, struct bytes *out_copy)
	__attribute__((warn_unused_result));

/* COUNT parts, one behind the other, followed by a NUL. */
bool arena_join(struct arena *arena, const struct bytes *parts, size_t count,
		struct bytes *out_joined) __attribute__((warn_unused_result));

/* A copy of B as a C string; NULL: no memory. */
const char *arena_text(struct arena *arena, struct bytes b) __attribute__((warn_unused_result));

/* All of it is gone; the first chunk is kept for what comes next. */
void arena_clear(struct arena *arena);

/* End it. Works on one that was only initialised, and leaves it so. */
void arena_free(struct arena *arena);

#endif
