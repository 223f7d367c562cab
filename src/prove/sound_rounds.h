/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sound_rounds - find entries that are sound since all they lead to is.
 *
 * An entry whose targets all lie outside is sound, and so is one whose targets are entries of which
 * that is known already. It is learned in rounds, from the outside in. The targets of many entries
 * are looked up together in the order of the file, which costs a fraction of what as many look-ups
 * here and there do, in time and in pages. What isn't learned this way (loops, keys that don't
 * exist, or only as catch-alls, extensions, …) isn't wrong for that: it takes a closer look.
 *
 * Each thread has rounds of its own; the sound entries are shared.
 */
#ifndef PROVE_SOUND_ROUNDS_H
#define PROVE_SOUND_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "prove/sound_entries.h"
#include "table/table.h"

struct sound_rounds {
	struct sound_entries *sound;
	struct arena arena;
	struct buffer numbers;   /* of the rows that wait: u64 each */
	struct buffer rows;      /* the slice at hand: struct waiting_row */
	struct buffer questions; /* of it, each with its local part */
	struct buffer order;     /* of it: u32 offsets in questions */
};

void sound_rounds_init(struct sound_rounds *rounds, struct sound_entries *sound);
void sound_rounds_free(struct sound_rounds *rounds);

/* ROW waits to be found sound. False: it can't be found here, or there is no memory. */
bool sound_rounds_add(struct sound_rounds *rounds, const struct table_row *row);

size_t sound_rounds_waiting(const struct sound_rounds *rounds);

/* One round over all that wait; those that are sound wait no longer. False: no memory. */
bool sound_rounds_run(struct sound_rounds *rounds);

/* The number of one of the rows that wait, for table_row_at(). */
uint64_t sound_rounds_row(const struct sound_rounds *rounds, size_t index);

#endif
