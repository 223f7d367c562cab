/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

enum {
	CHUNK_BYTES = 8192,
	ALIGNMENT = _Alignof(max_align_t),
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
	*arena = (struct arena){ .limit_bytes = limit_bytes };
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t least)
{
	size_t size = least > CHUNK_BYTES ? least : CHUNK_BYTES;
	struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);

	if (chunk == NULL)
		return NULL;
	*chunk = (struct arena_chunk){ .size = size };
	if (arena->current == NULL)
		arena->first = chunk;
	else
		arena->current->next = chunk;
	arena->current = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->current;
	size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	void *memory;

	if (rounded < size || rounded > arena->limit_bytes ||
	    arena->used_bytes > arena->limit_bytes - rounded)
		return NULL;
	if (chunk == NULL || chunk->size - chunk->used < rounded)
		chunk = add_chunk(arena, rounded);
	if (chunk == NULL)
		return NULL;
	memory = chunk->data + chunk->used;
	chunk->used += rounded;
	arena->used_bytes += rounded;
	return memory;
}

bool arena_join(struct arena *arena, const struct bytes *parts, size_t count,
		struct bytes *out_joined)
{
	size_t size = 0;
	char *joined, *at;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].size >= SIZE_MAX - size)
			return false;
		size += parts[i].size;
	}
	joined = at = arena_alloc(arena, size + 1);
	if (joined == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		bytes_copy(at, parts[i].data, parts[i].size);
		at += parts[i].size;
	}
	*at = '\0';
	*out_joined = bytes_make(joined, size);
	return true;
}

bool arena_copy(struct arena *arena, struct bytes b, struct bytes *out_copy)
{
	return arena_join(arena, &b, 1, out_copy);
}

const char *arena_text(struct arena *arena, struct bytes b)
{
	struct bytes copy;

	return arena_copy(arena, b, &copy) ? copy.data : NULL;
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk != NULL) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void arena_clear(struct arena *arena)
{
	arena->used_bytes = 0;
	if (arena->first == NULL)
		return;
	free_chunks(arena->first->next);
	arena->first->next = NULL;
	arena->first->used = 0;
	arena->current = arena->first;
}

void arena_free(struct arena *arena)
{
	free_chunks(arena->first);
	arena_init(arena, arena->limit_bytes);
}
