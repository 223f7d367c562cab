/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan - compare or add many bytes at once.
 *
 * At any address. What has a portable form of its own uses vector instructions where the ABI
 * promises them (SSE2 on x86-64).
 */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include <stdint.h>

#include "base/le.h"
#include "base/sixteen.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SCAN_BYTES = SIXTEEN, SCAN_WORDS = 8 };

/* Bit i: byte i of the SCAN_BYTES at AT is BYTE. */
static inline unsigned scan_bytes(const unsigned char *at, unsigned char byte)
{
	return sixteen_bits(sixteen_equal(sixteen_load(at), byte));
}

/* Bit i: word i of the SCAN_WORDS little-endian ones at AT is WORD. */
static inline unsigned scan_words_portable(const unsigned char *at, uint32_t word)
{
	unsigned found = 0;

	for (unsigned i = 0; i < SCAN_WORDS; i++)
		found |= (unsigned)(le32_load(at + i * sizeof(word)) == word) << i;
	return found;
}

/* The lowest COUNT of the 8 bytes of WORD. */
static inline uint64_t scan_first_bytes(uint64_t word, unsigned count)
{
	return count < 8 ? word & ((UINT64_C(1) << 8 * count) - 1) : word;
}

/* The sum of the first COUNT bytes at AT, at most SCAN_BYTES; so many are read in any case. */
static inline unsigned scan_sum_portable(const unsigned char *at, unsigned count)
{
	const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t first = scan_first_bytes(le64_load(at), count);
	uint64_t second = count <= 8 ? 0 : scan_first_bytes(le64_load(at + 8), count - 8);
	uint64_t sums =
		(first & even) + (first >> 8 & even) + (second & even) + (second >> 8 & even);

	return (unsigned)(sums * UINT64_C(0x0001000100010001) >> 48);
}

#ifdef __SSE2__

static inline unsigned scan_words(const unsigned char *at, uint32_t word)
{
	const __m128i *halves = (const __m128i *)(const void *)at;
	__m128i wanted = _mm_set1_epi32((int)word);
	__m128i first = _mm_cmpeq_epi32(_mm_loadu_si128(halves), wanted);
	__m128i second = _mm_cmpeq_epi32(_mm_loadu_si128(halves + 1), wanted);

	return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(first)) |
	       (unsigned)_mm_movemask_ps(_mm_castsi128_ps(second)) << 4;
}

/* Without a branch: where COUNT comes from memory a wrong guess would wait for it. */
static inline unsigned scan_sum(const unsigned char *at, unsigned count)
{
	static const unsigned char masks[2 * SCAN_BYTES] = {
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	};
	const void *mask = masks + SCAN_BYTES - count;
	__m128i bytes = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)at),
				      _mm_loadu_si128((const __m128i *)mask));
	__m128i sums = _mm_sad_epu8(bytes, _mm_setzero_si128());

	return (unsigned)(_mm_cvtsi128_si32(sums) +
			  _mm_cvtsi128_si32(_mm_unpackhi_epi64(sums, sums)));
}

#else

static inline unsigned scan_sum(const unsigned char *at, unsigned count)
{
	return scan_sum_portable(at, count);
}

static inline unsigned scan_words(const unsigned char *at, uint32_t word)
{
	return scan_words_portable(at, word);
}

#endif

#endif
