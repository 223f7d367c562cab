/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sound_entries - which entries of a table are known to be sound, and to how many recipients each
 * of them leads.
 *
 * An entry that is not among them isn't wrong for that: nothing is known of it yet. Shared by
 * threads, all of which may add and find.
 */
#ifndef PROVE_SOUND_ENTRIES_H
#define PROVE_SOUND_ENTRIES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolve/resolve.h"
#include "table/table.h"

struct sound_entries {
	const struct table *table;
	struct resolve_limits limits;
	_Atomic uint8_t *counts; /* by slot: recipients it leads to at most; 0: unknown */
	atomic_uint height;      /* no known entry has a longer way out */
};

/* False: no memory. */
bool sound_entries_init(struct sound_entries *sound, const struct table *table,
			const struct resolve_limits *limits);
void sound_entries_free(struct sound_entries *sound);

/* ENTRY is sound and leads to COUNT recipients, none of them a key. Large counts aren't kept. */
void sound_entries_add(struct sound_entries *sound, const struct table_entry *entry, size_t count);

/* To how many recipients ENTRY leads; 0: unknown. */
size_t sound_entries_find(const struct sound_entries *sound, const struct table_entry *entry);

#endif
