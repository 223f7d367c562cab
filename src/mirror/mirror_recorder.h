/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror_recorder - write the base of a mirror, while a directory is read (mirror.h).
 *
 * Whatever can't be done leaves the mirror without a base, and harms nothing else.
 */
#ifndef MIRROR_MIRROR_RECORDER_H
#define MIRROR_MIRROR_RECORDER_H

#include "base/buffer.h"
#include "mirror/mirror_header.h"

struct mirror_recorder {
	const struct mirrors *mirrors;           /* borrowed, as the options */
	const char *source;                      /* likewise */
	const struct directory_options *options; /* of the connection */
	const struct mirror *mirror;             /* that is written; NULL: none yet */
	struct mirror_header header;
	uint32_t search;                     /* at hand: its place */
	bool is_wanted;                      /* its entries have to be written */
	bool has_asked[MIRROR_SEARCHES_MAX]; /* for each of these before */
	bool keeps_id;                       /* an attribute that was asked for anyhow */
	bool has_failed;
	struct buffer pending;
};

/* There may be no mirrors: NULL. */
void mirror_recorder_init(struct mirror_recorder *recorder, const struct mirrors *mirrors,
			  const char *source, const struct directory_options *options);
void mirror_recorder_free(struct mirror_recorder *recorder);

/* All is read from the begin, once more or for the first time. */
void mirror_recorder_begin(struct mirror_recorder *recorder);

/* Before SEARCH is asked. True: its entries are wanted, with their identities. One that is asked
 * once more has been written already. */
bool mirror_recorder_search(struct mirror_recorder *recorder,
			    const struct directory_search *search);
void mirror_recorder_add(struct mirror_recorder *recorder, const struct directory_entry *entry);

/* All was read. Is there a base now? Not without each search that is told of. */
bool mirror_recorder_end(struct mirror_recorder *recorder);

#endif
