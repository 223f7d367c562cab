/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples - a few of all entries, drawn at random while they stream by; they become the canaries.
 */
#ifndef TABLE_SAMPLES_H
#define TABLE_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "table/domain_set.h"
#include "table/writer.h"

enum { SAMPLES = 32 };

struct sample {
	char *bytes;		/* local part, contents */
	size_t local_size;
	size_t contents_size;
	uint32_t domain;
	uint32_t global_line;
	enum table_entry_kind kind;
};

struct samples {
	struct sample all[SAMPLES];
	uint64_t offered;
	uint64_t random;
};

void samples_init(struct samples *samples, uint64_t seed);
void samples_free(struct samples *samples);

/* Perhaps keep ENTRY. False: no memory. */
bool samples_offer(struct samples *samples, const struct writer_entry *entry);

/* An entry that was dropped as a duplicate is no sample any more. */
void samples_drop(struct samples *samples, uint32_t domain, struct bytes local,
                  uint32_t global_line);

/* Append the CANARIES section: each sample as found, and absent neighbours of some. */
bool samples_print(const struct samples *samples, const struct domain_set *domains,
                   struct buffer *out_section);

#endif
