/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_set - the DOMAINS section while it grows: each name once, at a place that stays.
 */
#ifndef TABLE_WRITE_DOMAIN_SET_H
#define TABLE_WRITE_DOMAIN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { DOMAIN_SET_RECENT = 256 };

struct domain_set {
	unsigned char *records; /* as in the file */
	size_t size;
	size_t room;
	uint32_t *slots; /* a ref, and above it 8 bits of its name's hash; 0: free */
	uint64_t slot_mask;
	uint64_t count;
	uint64_t seed;
	uint32_t hashed_ref; /* of domain_set_hash(): keys of a domain stand together */
	uint64_t hashed;
	uint32_t recent[DOMAIN_SET_RECENT]; /* refs asked for, by a hash of little work */
};

/* False: no memory. */
bool domain_set_init(struct domain_set *set, uint64_t seed);
void domain_set_free(struct domain_set *set);

/* The ref of NAME, added if it is new; 0: no memory, the name over 255 bytes, or the set is full.
 */
uint32_t domain_set_add(struct domain_set *set, struct bytes name);

/* Is the section as large as it can be, so that more memory wouldn't help? */
bool domain_set_is_full(const struct domain_set *set);

/* The ref of NAME, or 0. */
uint32_t domain_set_find(struct domain_set *set, struct bytes name);

struct bytes domain_set_name(const struct domain_set *set, uint32_t ref);
uint64_t domain_set_hash(struct domain_set *set, uint32_t ref);
unsigned domain_set_flags(const struct domain_set *set, uint32_t ref);
void domain_set_add_flags(struct domain_set *set, uint32_t ref, unsigned flags);
/* These, and no others. */
void domain_set_put_flags(struct domain_set *set, uint32_t ref, unsigned flags);
void domain_set_catch_all(struct domain_set *set, uint32_t ref, uint32_t list);

/* The ref behind REF; begin with 0; 0 behind the last. */
uint32_t domain_set_next(const struct domain_set *set, uint32_t ref);

/* What the file gets: a multiple of DOMAIN_UNIT bytes. */
struct bytes domain_set_bytes(const struct domain_set *set);

/*
 * Make the DOMAIN INDEX: all domains with TABLE_DOMAIN_PROBED. The caller frees the result. NULL:
 * no memory.
 */
unsigned char *domain_set_index(const struct domain_set *set, size_t *out_size);

#endif
