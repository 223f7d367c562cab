/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * provenance - which line of which source an entry came from.
 */
#include <stdio.h>

#include "table/inside.h"

/* Position in the line of entry INDEX of cluster NUMBER, with the true counts. */
static bool position_in_line(const struct table *table, uint64_t line, unsigned number,
			     unsigned index, uint64_t *out_position)
{
	uint64_t position = index;

	for (unsigned i = 0; i < number; i++) {
		struct cluster cluster;
		enum lookup outcome = table_cluster_at(table, line, i, &cluster);

		if (outcome == LOOKUP_BROKEN)
			return false;
		if (outcome == LOOKUP_FOUND)
			position += cluster.count;
	}
	*out_position = position;
	return true;
}

static bool global_line(const struct table *table, uint64_t place, uint32_t *out_line)
{
	uint64_t line = place >> 16;
	uint64_t position;

	if ((place & PLACE_CATCH_ALL) != 0) {
		*out_line = (uint32_t)place;
		return true;
	}
	if (line >= table->lines ||
	    !position_in_line(table, line, (unsigned)(place >> 8 & 0xff) % LINE_CLUSTERS,
			      (unsigned)(place & 0xff), &position))
		return false;
	/* First the ordinal of each line's first entry, then a number an entry. */
	position += le32_load(at(table->provenance, line * 4)) + table->lines;
	if (!inside(table->provenance, position * 4, 4))
		return false;
	*out_line = le32_load(at(table->provenance, position * 4));
	return true;
}

/* A source: u32 global number of its first line, u16 length, name. In order of the first. */
static bool next_source(struct bytes *rest, uint32_t *out_first, struct bytes *out_name)
{
	size_t size;

	if (rest->size < 6)
		return false;
	size = le16_load(rest->data + 4);
	if (rest->size - 6 < size)
		return false;
	*out_first = le32_load(rest->data);
	*out_name = bytes_make(rest->data + 6, size);
	*rest = bytes_skip(*rest, 6 + size);
	return true;
}

static enum lookup source_of_line(const struct table *table, uint32_t line,
				  struct bytes *out_source, uint32_t *out_line)
{
	struct bytes rest = table->sources;
	struct bytes name;
	uint32_t first;
	enum lookup outcome = LOOKUP_ABSENT;

	while (rest.size > 0) {
		if (!next_source(&rest, &first, &name))
			return LOOKUP_BROKEN;
		if (first > line)
			break;
		*out_source = name;
		*out_line = line - first;
		outcome = LOOKUP_FOUND;
	}
	return outcome;
}

enum lookup table_provenance_line(const struct table *table, const struct table_entry *entry,
				  uint32_t *out_global_line)
{
	if (table->provenance.data == NULL)
		return LOOKUP_ABSENT;
	return global_line(table, entry->place, out_global_line) ? LOOKUP_FOUND : LOOKUP_BROKEN;
}

enum lookup table_provenance(const struct table *table, const struct table_entry *entry,
			     struct bytes *out_source, uint32_t *out_line)
{
	uint32_t line;
	enum lookup outcome = table_provenance_line(table, entry, &line);

	if (outcome != LOOKUP_FOUND)
		return outcome;
	return source_of_line(table, line, out_source, out_line);
}

enum lookup table_provenance_source(const struct table *table, const struct table_entry *entry,
				    uint32_t *out_first_line)
{
	struct bytes source;
	uint32_t line, in_source;
	enum lookup outcome = table_provenance_line(table, entry, &line);

	if (outcome == LOOKUP_FOUND)
		outcome = source_of_line(table, line, &source, &in_source);
	if (outcome == LOOKUP_FOUND)
		*out_first_line = line - in_source;
	return outcome;
}

enum lookup table_next_source(const struct table *table, size_t *position, struct bytes *out_name)
{
	struct bytes rest = bytes_skip(table->sources, *position);
	uint32_t first;

	if (rest.size == 0)
		return LOOKUP_ABSENT;
	if (!next_source(&rest, &first, out_name))
		return LOOKUP_BROKEN;
	*position = table->sources.size - rest.size;
	return LOOKUP_FOUND;
}

bool table_source_is_database(struct bytes source)
{
	size_t colon = bytes_index(source, ':');

	return colon > 0 && bytes_contain(bytes_skip(source, colon), ' ');
}

void table_place_line(struct bytes source, uint32_t line, char out_text[TABLE_PLACE_BYTES])
{
	out_text[0] = '\0';
	if (line != 0)
		(void)snprintf(out_text, TABLE_PLACE_BYTES, "%c%lu",
			       table_source_is_database(source) ? ' ' : ':',
			       (unsigned long)line); /* fits */
}
