/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copied_entry - one entry of a directory, or that it is gone, as bytes of a file.
 *
 * For this machine alone, and for processes of one program. What is read back is checked all the
 * same: a disk may have lost some of it.
 */
#ifndef MIRROR_COPIED_ENTRY_H
#define MIRROR_COPIED_ENTRY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "directory/directory.h"

struct copied_entry {
	uint32_t search;      /* its place in the header of the file */
	bool is_gone;         /* there is no such entry any more, or the search doesn't find it */
	struct bytes id;      /* of DIRECTORY_ID_BYTES */
	struct bytes content; /* of an entry, for copied_entry_unpack() */
};

/* Append RECORD, whose content isn't looked at, with ENTRY; NULL: it is gone. False: no memory. */
bool copied_entry_put(const struct copied_entry *record, const struct directory_entry *entry,
		      struct buffer *out);

enum copied_entry_step {
	COPIED_ENTRY_FOUND,
	COPIED_ENTRY_END,
	COPIED_ENTRY_DAMAGED, /* these bytes are no records */
};

/* The record at the begin of *REST, which is what is behind it then; borrows of it. */
enum copied_entry_step copied_entry_next(struct bytes *rest, struct copied_entry *out_record);

/* The entry of RECORD; borrows of it, and is in ARENA. False: damaged, or no memory. */
bool copied_entry_unpack(const struct copied_entry *record, struct arena *arena,
			 struct directory_entry *out_entry);

#endif
