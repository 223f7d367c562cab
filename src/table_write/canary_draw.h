/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * canary_draw - a few of all entries, drawn by their hashes while they stream by; they become the
 * canaries.
 */
#ifndef TABLE_WRITE_CANARY_DRAW_H
#define TABLE_WRITE_CANARY_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "table_write/domain_set.h"
#include "table_write/writer.h"

enum { CANARY_DRAW_MAX = 32 };

struct sample {
	char *bytes; /* local part, contents */
	size_t local_size;
	size_t contents_size;
	uint32_t domain;
	uint32_t global_line;
	enum table_entry_kind kind;
	uint64_t order; /* those with the least are drawn */
};

struct canary_draw {
	struct sample all[CANARY_DRAW_MAX];
	size_t count;
	uint64_t limit; /* nothing above it is drawn any more */
	uint64_t random;
};

void canary_draw_init(struct canary_draw *draw, uint64_t seed);
void canary_draw_free(struct canary_draw *draw);

/* Keep ENTRY, whose ORDER is not above the limit. False: no memory. */
bool canary_draw_take(struct canary_draw *draw, uint64_t order, const struct writer_entry *entry);

/* Perhaps keep ENTRY, whose key has HASH. False: no memory. */
static inline bool canary_draw_offer(struct canary_draw *draw, uint64_t hash,
				     const struct writer_entry *entry)
{
	/* The order is not that of the hashes: the entries with the lowest ones all stand at the
	 * begin of the table. */
	uint64_t order = hash * UINT64_C(0x9e3779b97f4a7c15);

	return order > draw->limit || canary_draw_take(draw, order, entry);
}

/* An entry that was dropped as a duplicate is no sample any more. */
void canary_draw_drop(struct canary_draw *draw, uint32_t domain, struct bytes local,
		      uint32_t global_line);

/* Append the CANARIES section: each sample as found, and absent neighbours of some. */
bool canary_draw_print(const struct canary_draw *draw, const struct domain_set *domains,
		       struct buffer *out_section);

#endif
