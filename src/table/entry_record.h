/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry_record - read the record of an entry; in line, since every look-up that finds something
 * ends here.
 */
#ifndef TABLE_ENTRY_RECORD_H
#define TABLE_ENTRY_RECORD_H

#include "table/inside.h"

/* Fill OUT_ENTRY from a record. */
static inline enum lookup entry_from_record(const struct table *table, struct bytes record,
					    uint64_t place, struct table_entry *out_entry)
{
	size_t local_size;
	struct bytes targets;

	if (record.size < RECORD_HEAD)
		return LOOKUP_BROKEN;
	local_size = (unsigned char)record.data[3];
	if (record.size - RECORD_HEAD < local_size)
		return LOOKUP_BROKEN;
	targets = bytes_make(record.data + RECORD_HEAD + local_size,
			     record.size - RECORD_HEAD - local_size);
	out_entry->pattern_value = bytes_make(NULL, 0);
	out_entry->local = bytes_make(record.data + RECORD_HEAD, local_size);
	out_entry->domain_ref = le32_load(record.data) & DOMAIN_REF_MAX;
	out_entry->place = place;
	/* A list is all that such a record has. */
	if (targets.size == RECORD_LIST_BYTES && (unsigned char)targets.data[0] == TARGET_LIST)
		return entry_follow_list(table, le32_load(targets.data + 1), out_entry);
	out_entry->kind = TABLE_ENTRY_TARGETS;
	out_entry->reply = bytes_make(NULL, 0);
	out_entry->targets = targets;
	return LOOKUP_FOUND;
}

#endif
