/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sixteen - sixteen bytes at once: compare each with a byte or a range, and learn which did match.
 *
 * The compiler makes vector instructions of it where the machine has them, and loops elsewhere.
 */
#ifndef BASE_SIXTEEN_H
#define BASE_SIXTEEN_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SIXTEEN = 16 };

/* Sixteen bytes. A comparison makes each of them 0 or 255. */
struct sixteen {
	unsigned char bytes __attribute__((vector_size(16)));
};

/* AT must have all sixteen. */
static inline struct sixteen sixteen_load(const void *at)
{
	struct sixteen these;

	memcpy(&these, at, sizeof(these));
	return these;
}

static inline struct sixteen sixteen_equal(struct sixteen these, unsigned char byte)
{
	return (struct sixteen){ (__typeof__(these.bytes))(these.bytes == byte) };
}

/* If LAST is below FIRST, the range goes from FIRST to 255 and on from 0 to LAST. */
static inline struct sixteen sixteen_between(struct sixteen these, unsigned char first,
					     unsigned char last)
{
	const unsigned char width = (unsigned char)(last - first);

	return (struct sixteen){ (__typeof__(these.bytes))(these.bytes - first <= width) };
}

static inline struct sixteen sixteen_or(struct sixteen a, struct sixteen b)
{
	return (struct sixteen){ a.bytes | b.bytes };
}

/* Upper-case letters of ASCII made lower-case; some bytes that are no letters change too. */
static inline struct sixteen sixteen_lower(struct sixteen these)
{
	return (struct sixteen){ these.bytes | (unsigned char)('a' - 'A') };
}

/* A bit for each byte of a comparison, the lowest for the first. */
#ifdef __SSE2__
static inline uint32_t sixteen_bits(struct sixteen these)
{
	return (uint32_t)_mm_movemask_epi8((__m128i)these.bytes);
}
#else
static inline uint32_t sixteen_bits(struct sixteen these)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < SIXTEEN; i++)
		bits |= (uint32_t)(these.bytes[i] & 1) << i;
	return bits;
}
#endif

/* Which is the lowest bit that is set? BITS isn't 0. */
static inline unsigned sixteen_first(uint32_t bits)
{
	return (unsigned)__builtin_ctz(bits);
}

#endif
