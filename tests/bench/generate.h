/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generate - the table that is being made up, for the parts of the program of that name.
 */
#ifndef BENCH_GENERATE_H
#define BENCH_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { GENERATE_SMALL_DOMAIN = 10 }; /* users; has mostly `info` and the like */

struct domain {
	char *name;
	uint32_t users; /* rows, the catch-all among them */
	bool has_catch_all;
};

struct entry {
	char *key;
	uint32_t domain;
	uint16_t recipients; /* final ones */
	bool is_single;      /* one target, outside */
};

struct made_up {
	struct domain *domains;
	struct entry *entries;
	uint64_t *taken; /* hashes of names in use; 0: free */
	uint64_t taken_mask;
	uint32_t domain_count;
	uint32_t count;
	uint64_t targets;
	uint64_t catch_alls;
};

extern struct made_up set;

/* Is NAME, a domain or a key, in use? With TAKES it is from now on. */
bool generate_is_taken(const char *name, size_t size, bool takes);

/* A key that an address can have: `user@domain`. */
bool generate_is_address(const struct entry *entry);

/* PREFIX.SUFFIX, to be written; ends the program where it can't be. */
FILE *generate_create(const char *prefix, const char *suffix);
void generate_finish(FILE *file);

/* All lists of questions, COUNT lines each. */
void generate_questions(const char *prefix, uint64_t count);

#endif
