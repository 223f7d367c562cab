/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal - what was told of changes, for who has the base that belongs to it (mirror.h).
 *
 * For who listens. That something can't be written is no failure: then all is read anew.
 */
#ifndef MIRROR_JOURNAL_H
#define MIRROR_JOURNAL_H

#include "base/buffer.h"
#include "mirror/mirror.h"

struct journal {
	const struct mirror *mirror; /* borrowed */
	uint64_t searches[MIRROR_SEARCHES_MAX];
	size_t search_count;
	uint64_t size; /* of the file; 0: nothing is written now */
	struct buffer record;
};

/* Of the COUNT searches SEARCHES of SOURCE, by connections with OPTIONS. It has not begun. */
void journal_init(struct journal *journal, const struct mirror *mirror, const char *source,
		  const struct directory_options *options, const struct directory_search *searches,
		  size_t count);

/* Write CHANGE, which is of these searches. */
void journal_change(struct journal *journal, const struct directory_change *change);

/* Nobody listens any more. */
void journal_end(struct journal *journal);

#endif
