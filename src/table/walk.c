/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk - over all entries and domains, in the order of the file.
 */
#include "table/entry_record.h"
#include "table/inside.h"

static enum lookup row_in_cluster(const struct table *table, struct table_cursor *cursor,
				  const struct cluster *cluster, struct table_row *out_row)
{
	struct table_row row = { .is_catch_all = false };
	struct bytes record;

	if (cursor->record == 0)
		cursor->offset = 0;
	if (!table_cluster_record(cluster, cursor->record, cursor->offset, &record) ||
	    entry_from_record(table, record,
			      place_make(cursor->line, cursor->cluster, cursor->record),
			      &row.entry) != LOOKUP_FOUND ||
	    table_domain_at(table, row.entry.domain_ref, &row.domain) != LOOKUP_FOUND)
		return LOOKUP_BROKEN;
	row.domain.hash = hash_key(row.domain.name, table->seed);
	row.local = row.entry.local;
	cursor->record++;
	cursor->offset += record.size;
	*out_row = row;
	return LOOKUP_FOUND;
}

/* The domain record behind the one at *POSITION (in units); ABSENT behind the last. */
static enum lookup next_record(const struct table *table, uint64_t *position,
			       struct table_domain *out_domain)
{
	uint64_t size;

	if (*position == 0)
		*position = 1;
	if (*position * DOMAIN_UNIT >= table->domains.size)
		return LOOKUP_ABSENT;
	if (table_domain_at(table, (uint32_t)*position, out_domain) != LOOKUP_FOUND)
		return LOOKUP_BROKEN;
	size = DOMAIN_NAME + out_domain->name.size + 1;
	*position += (size + DOMAIN_UNIT - 1) / DOMAIN_UNIT;
	out_domain->hash = hash_key(out_domain->name, table->seed);
	return LOOKUP_FOUND;
}

static enum lookup next_catch_all(const struct table *table, struct table_cursor *cursor,
				  struct table_row *out_row)
{
	struct table_row row = { .is_catch_all = true };
	enum lookup outcome;

	do {
		outcome = next_record(table, &cursor->domain, &row.domain);
		if (outcome != LOOKUP_FOUND)
			return outcome;
	} while (row.domain.catch_all == 0);
	if (table_find_catch_all(table, &row.domain, &row.entry) != LOOKUP_FOUND)
		return LOOKUP_BROKEN;
	*out_row = row;
	return LOOKUP_FOUND;
}

void table_rows_begin(const struct table *table, struct table_cursor *out_cursor)
{
	(void)table; /* every walk begins alike */
	*out_cursor = (struct table_cursor){ .line = 0 };
}

uint32_t table_domain_refs(const struct table *table)
{
	return (uint32_t)(table->domains.size / DOMAIN_UNIT);
}

enum lookup table_next_row(const struct table *table, struct table_cursor *cursor,
			   struct table_row *out_row)
{
	while (cursor->line < table->lines) {
		struct cluster cluster;
		enum lookup outcome =
			table_cluster_at(table, cursor->line, cursor->cluster, &cluster);

		if (outcome == LOOKUP_BROKEN)
			return outcome;
		if (outcome == LOOKUP_FOUND && cursor->record < cluster.count)
			return row_in_cluster(table, cursor, &cluster, out_row);
		cursor->record = 0;
		cursor->cluster = (cursor->cluster + 1) % LINE_CLUSTERS;
		if (cursor->cluster == 0)
			cursor->line++;
	}
	return next_catch_all(table, cursor, out_row);
}

/* Of a catch-all the place says where it came from, which doesn't lead to it. */
uint64_t table_row_number(const struct table_row *row)
{
	return row->is_catch_all ? PLACE_CATCH_ALL | row->domain.ref : row->entry.place;
}

static enum lookup catch_all_at(const struct table *table, uint32_t ref, struct table_row *out_row)
{
	struct table_row row = { .is_catch_all = true };

	if (table_domain_at(table, ref, &row.domain) != LOOKUP_FOUND ||
	    table_find_catch_all(table, &row.domain, &row.entry) != LOOKUP_FOUND)
		return LOOKUP_BROKEN;
	row.domain.hash = hash_key(row.domain.name, table->seed);
	*out_row = row;
	return LOOKUP_FOUND;
}

enum lookup table_row_at(const struct table *table, uint64_t number, struct table_row *out_row)
{
	struct table_cursor cursor = {
		.line = number >> 16,
		.cluster = (uint32_t)(number >> 8 & 0xff) % LINE_CLUSTERS,
	};
	uint32_t index = (uint32_t)(number & 0xff);
	struct cluster cluster;

	if ((number & PLACE_CATCH_ALL) != 0)
		return catch_all_at(table, (uint32_t)number, out_row);
	if (cursor.line >= table->lines ||
	    table_cluster_at(table, cursor.line, cursor.cluster, &cluster) != LOOKUP_FOUND ||
	    index >= cluster.count)
		return LOOKUP_BROKEN;
	for (; cursor.record < index; cursor.record++)
		cursor.offset += (unsigned char)cluster.bytes.data[cursor.record];
	return row_in_cluster(table, &cursor, &cluster, out_row);
}

uint64_t table_key_order(const struct table *table, const struct table_domain *domain,
			 struct bytes local)
{
	return format_mix(domain->hash, hash_key(local, table->seed));
}

/* ---- slots ---------------------------------------------------------------------------- */

/* Entries of one line, on average LINE_ENTRIES of them, rarely more than this. */
enum { LINE_SLOTS = 48 };

bool table_slot(const struct table *table, const struct table_entry *entry, uint64_t *out_slot)
{
	uint64_t line = entry->place >> 16;
	unsigned number = (unsigned)(entry->place >> 8 & 0xff) % LINE_CLUSTERS;
	uint64_t position = entry->place & 0xff;
	uint32_t counts, before;

	if ((entry->place & PLACE_CATCH_ALL) != 0 || line >= table->lines)
		return false;
	counts = le32_load(at(table->directory, line * LINE_BYTES + LINE_COUNTS));
	/* With an escaped count the positions aren't known. */
	if ((counts & counts >> 1 & counts >> 2 & counts >> 3 & 0x11111111) != 0)
		return false;
	before = counts & ((UINT32_C(1) << 4 * number) - 1);
	before = (before & 0x0f0f0f0f) + (before >> 4 & 0x0f0f0f0f);
	position += before * 0x01010101 >> 24;
	*out_slot = line * LINE_SLOTS + position;
	return position < LINE_SLOTS;
}

uint64_t table_slots(const struct table *table)
{
	return table->lines * LINE_SLOTS;
}

enum lookup table_next_domain(const struct table *table, uint64_t *position,
			      struct table_domain *out_domain)
{
	struct table_domain domain;
	enum lookup outcome;

	do {
		outcome = next_record(table, position, &domain);
		if (outcome != LOOKUP_FOUND)
			return outcome;
	} while ((domain.flags & TABLE_DOMAIN_PROBED) == 0 || domain.name.size == 0);
	*out_domain = domain;
	return LOOKUP_FOUND;
}
