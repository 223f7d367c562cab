/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walked_entries - what has been learned of entries by going their way, so that nobody goes it
 * again: in a chain of many entries each would else be walked from each before it.
 *
 * A cache: it forgets. Shared by threads, all of which may add and find.
 */
#ifndef PROVE_WALKED_ENTRIES_H
#define PROVE_WALKED_ENTRIES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "prove/sound_entries.h"
#include "resolve/known.h"

struct walked_entries {
	const struct sound_entries *sound;
	_Atomic uint64_t *cells; /* by the low bits of a slot */
	unsigned bits;
};

/* For some EXPECTED entries, beside those of SOUND, which must stay. False: no memory. */
bool walked_entries_init(struct walked_entries *walked, const struct sound_entries *sound,
			 size_t expected);
void walked_entries_free(struct walked_entries *walked);

/* ENTRY is faulty, or seems to be: it leads to a loop or over a limit. */
void walked_entries_add_fault(struct walked_entries *walked, const struct table_entry *entry);

/* View as expand() asks for it. */
struct known_entries walked_entries_known(struct walked_entries *walked);

#endif
