/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples - a few of all entries, drawn by their hashes while they stream by; they become the
 * canaries.
 */
#ifndef TABLE_WRITE_SAMPLES_H
#define TABLE_WRITE_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "table_write/domain_set.h"
#include "table_write/writer.h"

enum { SAMPLES = 32 };

struct sample {
	char *bytes;		/* local part, contents */
	size_t local_size;
	size_t contents_size;
	uint32_t domain;
	uint32_t global_line;
	enum table_entry_kind kind;
	uint64_t order;		/* those with the least are drawn */
};

struct samples {
	struct sample all[SAMPLES];
	size_t count;
	uint64_t limit;		/* nothing above it is drawn any more */
	uint64_t random;
};

void samples_init(struct samples *samples, uint64_t seed);
void samples_free(struct samples *samples);

/* Keep ENTRY, whose ORDER is not above the limit. False: no memory. */
bool samples_take(struct samples *samples, uint64_t order, const struct writer_entry *entry);

/* Perhaps keep ENTRY, whose key has HASH. False: no memory. */
static inline bool samples_offer(struct samples *samples, uint64_t hash,
                                 const struct writer_entry *entry)
{
	/* Not by the hash itself: the least of them all stand at the begin of the table. */
	uint64_t order = hash * UINT64_C(0x9e3779b97f4a7c15);

	return order > samples->limit || samples_take(samples, order, entry);
}

/* An entry that was dropped as a duplicate is no sample any more. */
void samples_drop(struct samples *samples, uint32_t domain, struct bytes local,
                  uint32_t global_line);

/* Append the CANARIES section: each sample as found, and absent neighbours of some. */
bool samples_print(const struct samples *samples, const struct domain_set *domains,
                   struct buffer *out_section);

#endif
