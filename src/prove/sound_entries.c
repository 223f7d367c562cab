/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/sound_entries.h"

#include <stdlib.h>

enum { COUNT_MAX = UINT8_MAX };

bool sound_entries_init(struct sound_entries *sound, const struct table *table,
			const struct resolve_limits *limits)
{
	*sound = (struct sound_entries){ .table = table, .limits = *limits };
	sound->counts = calloc(table_slots(table), sizeof(*sound->counts));
	atomic_init(&sound->height, 1);
	return sound->counts != NULL;
}

void sound_entries_free(struct sound_entries *sound)
{
	free((void *)sound->counts);
	sound->counts = NULL;
}

void sound_entries_add(struct sound_entries *sound, const struct table_entry *entry, size_t count)
{
	uint64_t slot;

	if (count <= COUNT_MAX && table_slot(sound->table, entry, &slot))
		atomic_store_explicit(&sound->counts[slot], (uint8_t)count, memory_order_release);
}

size_t sound_entries_find(const struct sound_entries *sound, const struct table_entry *entry)
{
	uint64_t slot;

	if (!table_slot(sound->table, entry, &slot))
		return 0;
	return atomic_load_explicit(&sound->counts[slot], memory_order_acquire);
}
