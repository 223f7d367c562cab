/* SPDX-License-Identifier: BSD-2-Clause */
#include "mirror/copied_entry.h"

#include <string.h>

enum { GONE = 1u << 31 };

/* ---- writing ------------------------------------------------------------------------------ */

static void put_number(struct buffer *out, uint32_t number)
{
	(void)buffer_append(out, bytes_make(&number, sizeof(number))); /* checked by the caller */
}

static void put_bytes(struct buffer *out, struct bytes b)
{
	put_number(out, (uint32_t)b.size);
	(void)buffer_append(out, b); /* checked by the caller */
}

static void put_entry(struct buffer *out, const struct directory_entry *entry)
{
	uint32_t total = 0;

	for (size_t i = 0; i < entry->count; i++)
		total += (uint32_t)entry->attributes[i].count;
	put_bytes(out, entry->name);
	put_number(out, (uint32_t)entry->count);
	put_number(out, total);
	for (size_t i = 0; i < entry->count; i++) {
		const struct directory_attribute *attribute = &entry->attributes[i];

		put_bytes(out, attribute->name);
		put_number(out, (uint32_t)attribute->count);
		for (size_t v = 0; v < attribute->count; v++)
			put_bytes(out, attribute->values[v]);
	}
}

bool copied_entry_put(const struct copied_entry *record, const struct directory_entry *entry,
		      struct buffer *out)
{
	size_t begin = out->size;
	uint32_t size;

	put_number(out, 0);
	put_number(out, record->search | (entry == NULL ? GONE : 0));
	put_bytes(out, record->id);
	if (entry != NULL)
		put_entry(out, entry);
	if (out->has_failed)
		return false;
	size = (uint32_t)(out->size - begin - sizeof(size));
	memcpy(out->data + begin, &size, sizeof(size));
	return true;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool take_number(struct bytes *rest, uint32_t *out_number)
{
	if (rest->size < sizeof(*out_number))
		return false;
	memcpy(out_number, rest->data, sizeof(*out_number));
	*rest = bytes_skip(*rest, sizeof(*out_number));
	return true;
}

static bool take_bytes(struct bytes *rest, struct bytes *out)
{
	uint32_t size;

	if (!take_number(rest, &size) || rest->size < size)
		return false;
	*out = bytes_first(*rest, size);
	*rest = bytes_skip(*rest, size);
	return true;
}

enum copied_entry_step copied_entry_next(struct bytes *rest, struct copied_entry *out_record)
{
	struct copied_entry record;
	struct bytes whole;
	uint32_t search;

	if (rest->size == 0)
		return COPIED_ENTRY_END;
	if (!take_bytes(rest, &whole) || !take_number(&whole, &search) ||
	    !take_bytes(&whole, &record.id) || record.id.size != DIRECTORY_ID_BYTES)
		return COPIED_ENTRY_DAMAGED;
	record.search = search & ~(uint32_t)GONE;
	record.is_gone = (search & GONE) != 0;
	record.content = whole;
	*out_record = record;
	return COPIED_ENTRY_FOUND;
}

static bool take_attribute(struct bytes *rest, struct directory_attribute *attribute,
			   struct bytes *values, uint32_t room)
{
	uint32_t count;

	if (!take_bytes(rest, &attribute->name) || !take_number(rest, &count) || count > room)
		return false;
	attribute->values = values;
	attribute->count = count;
	for (uint32_t i = 0; i < count; i++)
		if (!take_bytes(rest, &values[i]))
			return false;
	return true;
}

bool copied_entry_unpack(const struct copied_entry *record, struct arena *arena,
			 struct directory_entry *out_entry)
{
	struct bytes rest = record->content;
	struct directory_attribute *attributes;
	struct directory_entry entry;
	struct bytes *values;
	uint32_t count, total;

	/* Each of them takes some bytes, so that there can't be more of them than bytes. */
	if (!take_bytes(&rest, &entry.name) || !take_number(&rest, &count) ||
	    !take_number(&rest, &total) || count > rest.size || total > rest.size)
		return false;
	attributes = arena_alloc(arena, count * sizeof(*attributes));
	values = arena_alloc(arena, total * sizeof(*values));
	if (attributes == NULL || values == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!take_attribute(&rest, &attributes[i], values, total))
			return false;
		values += attributes[i].count;
		total -= (uint32_t)attributes[i].count;
	}
	entry.attributes = attributes;
	entry.count = count;
	*out_entry = entry;
	return rest.size == 0;
}
