/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failing_memory - the allocation with a given number fails; once, or that and all after it.
 *
 * The linker replaces malloc and its like in our own objects (see Makefile.inc), so that libraries,
 * which may not take it so well, keep theirs. What a library allocates for us fails as a whole, in
 * the way that the library says it.
 */
#ifndef TESTS_UNIT_FAILING_MEMORY_H
#define TESTS_UNIT_FAILING_MEMORY_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <idn2.h>
#include <pcre2.h>
#include <unicase.h>
#include <uninorm.h>

#include "base/arena.h"

static _Atomic unsigned long calls;
static unsigned long fails_at; /* 0: never */
static bool fails_for_good;

static bool fails(void)
{
	unsigned long number = ++calls;

	return fails_at != 0 && (number == fails_at || (fails_for_good && number > fails_at));
}

/* The names are the linker's. */
#define REPLACED(type, name, ...)                                                                  \
	type __real_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__)

REPLACED(void *, malloc, size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

REPLACED(void *, calloc, size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

REPLACED(void *, realloc, void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

REPLACED(char *, strdup, const char *text)
{
	if (!fails())
		return __real_strdup(text);
	errno = ENOMEM;
	return NULL;
}

/* Pieces of an arena: as if this one needed a new chunk. */
REPLACED(void *, arena_alloc, struct arena *arena, size_t size)
{
	return fails() ? NULL : __real_arena_alloc(arena, size);
}

REPLACED(bool, arena_join, struct arena *arena, const struct bytes *parts, size_t count,
	 struct bytes *out_joined)
{
	return !fails() && __real_arena_join(arena, parts, count, out_joined);
}

REPLACED(bool, arena_copy, struct arena *arena, struct bytes b, struct bytes *out_copy)
{
	return !fails() && __real_arena_copy(arena, b, out_copy);
}

REPLACED(const char *, arena_text, struct arena *arena, struct bytes b)
{
	return fails() ? NULL : __real_arena_text(arena, b);
}

REPLACED(char *, strndup, const char *text, size_t size)
{
	if (!fails())
		return __real_strndup(text, size);
	errno = ENOMEM;
	return NULL;
}

/* PCRE2 has an allocator of its own, and says that it failed. */
REPLACED(pcre2_code *, pcre2_compile_8, PCRE2_SPTR8 pattern, PCRE2_SIZE size, uint32_t options,
	 int *number, PCRE2_SIZE *offset, pcre2_compile_context *context)
{
	if (!fails())
		return __real_pcre2_compile_8(pattern, size, options, number, offset, context);
	*number = PCRE2_ERROR_HEAP_FAILED;
	*offset = 0;
	return NULL;
}

REPLACED(pcre2_match_data *, pcre2_match_data_create_8, uint32_t pairs,
	 pcre2_general_context *context)
{
	return fails() ? NULL : __real_pcre2_match_data_create_8(pairs, context);
}

REPLACED(int, pcre2_match_8, const pcre2_code *code, PCRE2_SPTR8 subject, PCRE2_SIZE size,
	 PCRE2_SIZE start, uint32_t options, pcre2_match_data *data, pcre2_match_context *context)
{
	return fails() ? PCRE2_ERROR_NOMEMORY
		       : __real_pcre2_match_8(code, subject, size, start, options, data, context);
}

REPLACED(int, idn2_lookup_u8, const uint8_t *domain, uint8_t **out_ascii, int flags)
{
	return fails() ? IDN2_MALLOC : __real_idn2_lookup_u8(domain, out_ascii, flags);
}

REPLACED(int, idn2_to_unicode_8z8z, const char *domain, char **out_text, int flags)
{
	return fails() ? IDN2_MALLOC : __real_idn2_to_unicode_8z8z(domain, out_text, flags);
}

REPLACED(uint8_t *, u8_normalize, uninorm_t form, const uint8_t *text, size_t size, uint8_t *room,
	 size_t *out_size)
{
	if (!fails())
		return __real_u8_normalize(form, text, size, room, out_size);
	errno = ENOMEM;
	return NULL;
}

REPLACED(uint8_t *, u8_casefold, const uint8_t *text, size_t size, const char *language,
	 uninorm_t form, uint8_t *room, size_t *out_size)
{
	if (!fails())
		return __real_u8_casefold(text, size, language, form, room, out_size);
	errno = ENOMEM;
	return NULL;
}

#endif
