/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry - what stands in a record or a list, and the targets one after the other.
 */
#include "table/entry_record.h"
#include "table/inside.h"

enum lookup table_domain_at(const struct table *table, uint32_t ref,
			    struct table_domain *out_domain)
{
	const unsigned char *record = domain_record(table, ref);

	if (record == NULL)
		return LOOKUP_BROKEN;
	domain_fill(record, ref, 0, out_domain);
	return LOOKUP_FOUND;
}

/* Fill kind, targets and reply of OUT_ENTRY. *out_global_line: see LIST_KIND_PLACED; else 0. */
static enum lookup list_at(const struct table *table, uint32_t ref, struct table_entry *out_entry,
			   uint32_t *out_global_line)
{
	uint64_t offset = (uint64_t)ref * DATA_UNIT;
	struct bytes contents;
	uint32_t size;
	unsigned kind;

	if (ref == 0 || !inside(table->data, offset, LIST_CONTENTS))
		return LOOKUP_BROKEN;
	size = le32_load(at(table->data, offset + LIST_BYTES));
	kind = *at(table->data, offset + LIST_KIND);
	offset += LIST_CONTENTS;
	*out_global_line = 0;
	if ((kind & LIST_KIND_PLACED) != 0) {
		if (!inside(table->data, offset, sizeof(uint32_t)))
			return LOOKUP_BROKEN;
		*out_global_line = le32_load(at(table->data, offset));
		offset += sizeof(uint32_t);
	}
	kind &= ~(unsigned)LIST_KIND_PLACED;
	if (!inside(table->data, offset, size) || kind > TABLE_ENTRY_DISCARD)
		return LOOKUP_BROKEN;
	contents = bytes_make(at(table->data, offset), size);
	out_entry->kind = (enum table_entry_kind)kind;
	out_entry->targets = kind == TABLE_ENTRY_TARGETS ? contents : bytes_make(NULL, 0);
	out_entry->reply = kind == TABLE_ENTRY_TARGETS ? bytes_make(NULL, 0) : contents;
	return LOOKUP_FOUND;
}

enum lookup table_find_catch_all(const struct table *table, const struct table_domain *domain,
				 struct table_entry *out_entry)
{
	uint32_t global_line;
	enum lookup outcome;

	if (domain->catch_all == 0)
		return LOOKUP_ABSENT;
	outcome = list_at(table, domain->catch_all, out_entry, &global_line);
	if (outcome != LOOKUP_FOUND)
		return outcome;
	out_entry->pattern_value = bytes_make(NULL, 0);
	out_entry->local = bytes_make(NULL, 0);
	out_entry->domain_ref = domain->ref;
	out_entry->place = PLACE_CATCH_ALL | global_line;
	return LOOKUP_FOUND;
}

enum lookup entry_follow_list(const struct table *table, uint32_t ref,
			      struct table_entry *out_entry)
{
	uint32_t ignored;

	return list_at(table, ref, out_entry, &ignored);
}

/* ---- targets -------------------------------------------------------------------------- */

void table_targets_begin(const struct table_entry *entry, struct table_target_cursor *out_cursor)
{
	*out_cursor = (struct table_target_cursor){
		.rest = entry->targets,
		.entry = entry,
	};
}

/* Take HEAD bytes and then a local part of SIZE bytes from REST. */
static bool take_local(struct bytes *rest, size_t head, size_t size, struct bytes *out_local)
{
	if (rest->size < head || rest->size - head < size)
		return false;
	*out_local = bytes_make(rest->data + head, size);
	*rest = bytes_skip(*rest, head + size);
	return true;
}

enum lookup target_next(const struct table *table, struct table_target_cursor *cursor,
			struct table_target *out_target)
{
	const struct bytes at_target = cursor->rest;
	uint32_t ref;
	unsigned first;

	if (at_target.size == 0)
		return LOOKUP_ABSENT;
	first = (unsigned char)at_target.data[0];
	if (first == TARGET_LIST)
		return LOOKUP_BROKEN; /* entry_from_record() has followed it */
	out_target->keeps_user = false;
	if (first >= TARGET_NEAR) {
		ref = cursor->entry->domain_ref;
		if (!take_local(&cursor->rest, 1, first & 0x7f, &out_target->local))
			return LOOKUP_BROKEN;
		if (first == TARGET_NEAR)
			out_target->local = cursor->entry->local;
	} else if (first == TARGET_LONG) {
		if (at_target.size < 6 ||
		    !take_local(&cursor->rest, 6, le16_load(at_target.data + 1),
				&out_target->local))
			return LOOKUP_BROKEN;
		ref = le24_load(at_target.data + 3);
	} else {
		if (!take_local(&cursor->rest, 4, first - TARGET_FAR, &out_target->local))
			return LOOKUP_BROKEN;
		ref = le24_load(at_target.data + 1);
		out_target->keeps_user = first == TARGET_FAR;
	}
	return table_domain_at(table, ref, &out_target->domain);
}

enum lookup table_next_target(const struct table *table, struct table_target_cursor *cursor,
			      struct table_target *out_target)
{
	enum lookup outcome = target_next(table, cursor, out_target);

	if (outcome == LOOKUP_FOUND && (out_target->domain.flags & TABLE_DOMAIN_PROBED) != 0)
		out_target->domain.hash = hash_key(out_target->domain.name, table->seed);
	return outcome;
}
