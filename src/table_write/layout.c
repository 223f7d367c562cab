/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/layout.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/le.h"
#include "table_write/raw.h"

enum {
	LINE_DATA_MAX = 0xffff, /* an end is 16 bits */
	LISTS_DATA_MAX = 1 << 30,
};

/* A ref that waits for its list to be placed. */
struct waiting {
	size_t at;
	const unsigned char *raw;
};

uint64_t layout_cluster(const struct layout *layout, uint64_t hash)
{
	return format_high64(hash, layout->lines * LINE_CLUSTERS);
}

bool layout_init(struct layout *layout, struct output *output, uint64_t lines, bool has_provenance)
{
	*layout = (struct layout){
		.output = output,
		.data_begin = output->position,
		.lines = lines,
		.directory = calloc(lines, LINE_BYTES),
		.has_provenance = has_provenance,
	};
	buffer_init(&layout->ordinals, SIZE_MAX / 4);
	buffer_init(&layout->places, SIZE_MAX / 4);
	buffer_init(&layout->data, LINE_DATA_MAX);
	buffer_init(&layout->lists, LISTS_DATA_MAX);
	/* Reserve all the room that it may have. So what doesn't fit later is too long; memory
	 * can't be what is missing. */
	if (layout->directory == NULL || buffer_extend(&layout->data, LINE_DATA_MAX) == NULL)
		return false;
	buffer_clear(&layout->data);
	return true;
}

void layout_free(struct layout *layout)
{
	free(layout->directory);
	buffer_free(&layout->ordinals);
	buffer_free(&layout->places);
	buffer_free(&layout->data);
	buffer_free(&layout->lists);
}

static bool same_key(const unsigned char *a, const unsigned char *b)
{
	return raw_hash(a) == raw_hash(b) && le32_load(a + RAW_KEY) == le32_load(b + RAW_KEY) &&
	       bytes_equal(raw_local(a), raw_local(b));
}

static void drop(struct layout *layout, const unsigned char *raw)
{
	if (layout->on_dropped != NULL)
		layout->on_dropped(layout->context, raw);
}

/* Sort by hash and keep equal ones in the order in which they came: how a cluster looks must not
 * depend on the partitions. */
static void sort_by_hash(const unsigned char **raws, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const unsigned char *raw = raws[i];
		size_t place = i;

		for (; place > 0 && raw_hash(raws[place - 1]) > raw_hash(raw); place--)
			raws[place] = raws[place - 1];
		raws[place] = raw;
	}
}

/* Of two with one key: does RAW count, and not OTHER? They come in the order of their lines, but
 * for those that could be settled only when all lines were known. */
static bool goes_before(const unsigned char *raw, const unsigned char *other)
{
	if (raw_yields(raw) != raw_yields(other))
		return raw_yields(other);
	return raw_global_line(raw) < raw_global_line(other);
}

/* Of entries with one key keep the first that doesn't yield, else the first. */
static size_t drop_duplicates(struct layout *layout, const unsigned char **raws, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const unsigned char *loser = raws[i];
		size_t other = 0;

		while (other < kept && !same_key(raws[other], raws[i]))
			other++;
		if (other == kept) {
			raws[kept++] = raws[i];
			continue;
		}
		if (goes_before(raws[i], raws[other])) {
			loser = raws[other];
			raws[other] = raws[i];
		}
		if (!raw_yields(loser) && layout->on_duplicate != NULL)
			layout->on_duplicate(layout->context, raws[other], loser);
		drop(layout, loser);
	}
	return kept;
}

static bool fits_in_record(const unsigned char *raw)
{
	return raw_kind(raw) == TABLE_ENTRY_TARGETS &&
	       RECORD_HEAD + (size_t)raw[RAW_KEY + 3] + raw_payload_size(raw) <= RECORD_BYTES_MAX;
}

static size_t record_size(const unsigned char *raw)
{
	size_t payload = fits_in_record(raw) ? raw_payload_size(raw) : RECORD_LIST_BYTES;

	return RECORD_HEAD + (size_t)raw[RAW_KEY + 3] + payload;
}

/* The ref at AT, in the data, is of the list of RAW. */
static void await_list(struct layout *layout, const unsigned char *at, const unsigned char *raw)
{
	const struct waiting waiting = {
		.at = (size_t)(at - (const unsigned char *)layout->data.data),
		.raw = raw,
	};

	(void)buffer_append(&layout->lists, bytes_make(&waiting, sizeof(waiting)));
}

/* Put the record of RAW at OUT; its size. */
static size_t put_record(struct layout *layout, const unsigned char *raw, unsigned char *out)
{
	struct bytes local = raw_local(raw);
	size_t head = RECORD_HEAD + local.size;
	size_t payload = raw_payload_size(raw);

	memcpy(out, raw + RAW_KEY, RECORD_HEAD);
	layout->targets += raw_targets(raw);
	if (fits_in_record(raw)) {
		/* The payload stands right behind the local part, in RAW and in the record. */
		bytes_copy(out + RECORD_HEAD, local.data, local.size + payload);
		return head + payload;
	}
	bytes_copy(out + RECORD_HEAD, local.data, local.size);
	memcpy(out + head, "\xff\0\0\0\0", RECORD_LIST_BYTES);
	await_list(layout, out + head + 1, raw);
	return head + RECORD_LIST_BYTES;
}

/* One cluster's count if it is escaped, lengths and records. */
static void put_records(struct layout *layout, const unsigned char **raws, size_t count)
{
	size_t escape = count < CLUSTER_ESCAPE ? 0 : 1;
	size_t size = escape + count;
	unsigned char *lengths, *records;

	for (size_t i = 0; i < count; i++)
		size += record_size(raws[i]);
	lengths = (unsigned char *)buffer_extend(&layout->data, size);
	if (lengths == NULL)
		return; /* which the buffer remembers */
	if (escape > 0)
		*lengths++ = (unsigned char)count;
	records = lengths + count;
	for (size_t i = 0; i < count; i++) {
		size = put_record(layout, raws[i], records);
		lengths[i] = (unsigned char)size;
		records += size;
	}
}

static void put_places(struct layout *layout, const unsigned char **raws, size_t count)
{
	char *places = buffer_extend(&layout->places, count * sizeof(uint32_t));

	for (size_t i = 0; places != NULL && i < count; i++)
		memcpy(places + i * sizeof(uint32_t), raws[i] + RAW_GLOBAL_LINE, sizeof(uint32_t));
}

/* One cluster; *FINGERPRINTS counts those of the line so far. */
static void add_cluster(struct layout *layout, unsigned char *row, unsigned number,
			const unsigned char **raws, size_t count, unsigned *fingerprints)
{
	unsigned nibble = count < CLUSTER_ESCAPE ? (unsigned)count : CLUSTER_ESCAPE;

	le32_store(row + LINE_COUNTS, le32_load(row + LINE_COUNTS) | nibble << 4 * number);
	for (unsigned i = 0; i < nibble && *fingerprints + i < LINE_FINGERPRINT_ROOM; i++)
		row[LINE_FINGERPRINTS + *fingerprints + i] = (unsigned char)raw_hash(raws[i]);
	*fingerprints += nibble;
	put_records(layout, raws, count);
	layout->entries += count;
	if (layout->has_provenance)
		put_places(layout, raws, count);
}

static bool make_ref(struct layout *layout, uint64_t position, uint32_t *out_ref, struct error *err)
{
	uint64_t ref = (position - layout->data_begin) / DATA_UNIT;

	if (ref > UINT32_MAX)
		return error_set(err, EX_DATAERR, "the table would be larger than 16 GiB");
	*out_ref = (uint32_t)ref;
	return true;
}

/* Where the lists of the line at hand will stand, patched into the records' refs. */
static bool place_lists(struct layout *layout, struct error *err)
{
	const struct waiting *waiting = (const struct waiting *)(const void *)layout->lists.data;
	size_t count = layout->lists.size / sizeof(*waiting);
	uint64_t position = layout->output->position + layout->data.size;

	for (size_t i = 0; i < count; i++) {
		uint32_t ref;

		position = (position + DATA_UNIT - 1) / DATA_UNIT * DATA_UNIT;
		if (!make_ref(layout, position, &ref, err))
			return false;
		le32_store(layout->data.data + waiting[i].at, ref);
		position += LIST_CONTENTS + raw_payload_size(waiting[i].raw);
	}
	return true;
}

static bool emit_lists(struct layout *layout, struct error *err)
{
	const struct waiting *waiting = (const struct waiting *)(const void *)layout->lists.data;
	size_t count = layout->lists.size / sizeof(*waiting);

	for (size_t i = 0; i < count; i++) {
		uint32_t ref;

		if (!layout_list(layout, raw_kind(waiting[i].raw), raw_payload(waiting[i].raw),
				 NULL, &ref, err))
			return false;
	}
	output_align(layout->output, DATA_UNIT);
	return true;
}

bool layout_list(struct layout *layout, enum table_entry_kind kind, struct bytes contents,
		 const uint32_t *place, uint32_t *out_ref, struct error *err)
{
	unsigned char head[LIST_CONTENTS + sizeof(uint32_t)];
	size_t head_size = LIST_CONTENTS;

	output_align(layout->output, DATA_UNIT);
	if (!make_ref(layout, layout->output->position, out_ref, err))
		return false;
	le32_store(head + LIST_BYTES, (uint32_t)contents.size);
	head[LIST_KIND] = (unsigned char)kind;
	if (place != NULL) {
		head[LIST_KIND] |= LIST_KIND_PLACED;
		le32_store(head + LIST_CONTENTS, *place);
		head_size += sizeof(uint32_t);
	}
	output_add(layout->output, bytes_make(head, head_size));
	output_add(layout->output, contents);
	return true;
}

static bool add_clusters(struct layout *layout, unsigned char *row, const unsigned char **raws,
			 size_t first, const uint32_t *ends)
{
	unsigned fingerprints = 0;

	for (unsigned number = 0; number < LINE_CLUSTERS; first = ends[number++]) {
		size_t kept;

		sort_by_hash(raws + first, ends[number] - first);
		kept = drop_duplicates(layout, raws + first, ends[number] - first);
		if (kept > CLUSTER_ENTRIES_MAX)
			return false;
		if (kept > 0)
			add_cluster(layout, row, number, raws + first, kept, &fingerprints);
		le16_store(row + LINE_ENDS + 2UL * number, (uint16_t)layout->data.size);
	}
	return !layout->data.has_failed; /* longer than an end can say */
}

bool layout_line(struct layout *layout, const unsigned char **raws, size_t first,
		 const uint32_t *ends, struct error *err)
{
	unsigned char *row = layout->directory + layout->line * LINE_BYTES;
	uint32_t base;
	char ordinal[4];

	if (!make_ref(layout, layout->output->position, &base, err))
		return false;
	le32_store(row + LINE_BASE, base);
	le32_store(ordinal, (uint32_t)layout->entries);
	if (layout->has_provenance)
		(void)buffer_append(&layout->ordinals, bytes_make(ordinal, sizeof(ordinal)));
	buffer_clear(&layout->data);
	buffer_clear(&layout->lists);
	if (!add_clusters(layout, row, raws, first, ends)) {
		layout->wants_seed = true;
		return error_set(err, EX_DATAERR, "too many keys collide");
	}
	if (layout->lists.has_failed || layout->ordinals.has_failed || layout->places.has_failed)
		return error_set_memory(err);
	if (!place_lists(layout, err))
		return false;
	output_add(layout->output, buffer_bytes(&layout->data));
	layout->line++;
	return emit_lists(layout, err);
}
