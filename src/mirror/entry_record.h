/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry_record - one entry of a directory, or that it is gone, as bytes of a file.
 *
 * For this machine alone, and for processes of one program. What is read back is checked all the
 * same: a disk may have lost some of it.
 */
#ifndef MIRROR_ENTRY_RECORD_H
#define MIRROR_ENTRY_RECORD_H

#include "base/arena.h"
#include "base/buffer.h"
#include "directory/directory.h"

struct entry_record {
	uint32_t search;      /* its place in the header of the file */
	bool is_gone;         /* there is no such entry any more, or the search doesn't find it */
	struct bytes id;      /* of DIRECTORY_ID_BYTES */
	struct bytes stamp;   /* of its last change; empty: not known */
	struct bytes content; /* of an entry, for entry_record_unpack() */
};

/* Append RECORD, whose content isn't looked at, with ENTRY; NULL: it is gone. False: no memory. */
bool entry_record_put(const struct entry_record *record, const struct directory_entry *entry,
		      struct buffer *out);

enum entry_record_step {
	ENTRY_RECORD_FOUND,
	ENTRY_RECORD_END,
	ENTRY_RECORD_DAMAGED, /* these bytes are no records */
};

/* The record at the begin of *REST, which is what is behind it then; borrows of it. */
enum entry_record_step entry_record_next(struct bytes *rest, struct entry_record *out_record);

/* The entry of RECORD; borrows of it, and is in ARENA. False: damaged, or no memory. */
bool entry_record_unpack(const struct entry_record *record, struct arena *arena,
			 struct directory_entry *out_entry);

#endif
