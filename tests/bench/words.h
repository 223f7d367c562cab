/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words - random numbers, names and domains for made-up tables; the same for the same seed.
 */
#ifndef BENCH_WORDS_H
#define BENCH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_ROOM = 256 }; /* for any text made here */

void words_seed(uint64_t seed);

uint64_t words_random(void);
/* Below LIMIT. */
uint32_t words_below(uint32_t limit);
bool words_chance(uint32_t in_thousand);
/* Zipf's law: rank k of LIMIT is drawn about 1/(k+1) times as often as rank 0. */
uint32_t words_zipf(uint32_t limit);

/* Each returns the length. SMALL: of a domain with few users, mostly `info` and the like. */
size_t words_local(char *room, bool is_small);
size_t words_domain(char *room);
const char *words_topic(void);    /* one word, for an extension */
const char *words_provider(void); /* a large mail provider, the largest most often */
/* The mailbox NUMBER of the made-up host that most aliases lead to; always the same. */
size_t words_mailbox(char *room, uint32_t number);

#endif
