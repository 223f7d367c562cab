/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer_sort - from partitions to lines: a counting sort by cluster, one partition at a time.
 */
#include <stdlib.h>

#include "table_write/raw.h"
#include "table_write/writer_inside.h"

enum {
	FETCH_AHEAD = 2 * LINE_ENTRIES,
	CACHE_LINE_BYTES = 64,
};

/* What sorting one partition needs; kept from one to the next. */
struct sorter {
	unsigned char *bytes;
	size_t room;
	const unsigned char **raws;
	size_t raw_room;
	uint32_t *counts;
	size_t count_room;
	unsigned char *carried; /* entries of a line that goes on in the next partition */
	size_t carried_bytes;
};

static void sorter_free(struct sorter *sorter)
{
	free(sorter->bytes);
	free(sorter->raws);
	free(sorter->counts);
	free(sorter->carried);
}

static bool grow(void *memory, size_t *room, size_t needed, size_t each)
{
	void **pointer = memory;
	size_t more = needed + needed / 4 + 16;
	void *grown;

	if (*pointer != NULL && *room >= needed)
		return true;
	grown = realloc(*pointer, more * each);
	if (grown == NULL)
		return false;
	*pointer = grown;
	*room = more;
	return true;
}

/* The carried entries, then the partition's, into sorter->bytes. */
static bool load_partition(struct table_writer *writer, struct sorter *sorter, size_t partition,
			   size_t *out_size, struct error *err)
{
	size_t size = sorter->carried_bytes + spill_bytes(writer->spill, partition);

	if (!grow(&sorter->bytes, &sorter->room, size, 1))
		return error_set_memory(err);
	if (sorter->carried_bytes > 0)
		memcpy(sorter->bytes, sorter->carried, sorter->carried_bytes);
	*out_size = size;
	return spill_take(writer->spill, partition, sorter->bytes + sorter->carried_bytes, err);
}

/* A stable counting sort by cluster. FIRST is the first cluster that there can be, CLUSTERS says
 * how many there are. Afterwards counts tells where each one ends in raws. */
static bool sort_partition(const struct layout *layout, struct sorter *sorter, size_t size,
			   uint64_t first, size_t clusters, size_t *out_count)
{
	size_t count = 0;
	size_t total = 0;

	if (!grow(&sorter->counts, &sorter->count_room, clusters + 1, sizeof(*sorter->counts)))
		return false;
	memset(sorter->counts, 0, (clusters + 1) * sizeof(*sorter->counts));
	for (size_t at = 0; at < size; at += raw_size(sorter->bytes + at), count++)
		sorter->counts[layout_cluster(layout, raw_hash(sorter->bytes + at)) - first]++;
	if (!grow(&sorter->raws, &sorter->raw_room, count, sizeof(*sorter->raws)))
		return false;
	for (size_t i = 0; i < clusters; i++) {
		uint32_t these = sorter->counts[i];

		sorter->counts[i] = (uint32_t)total;
		total += these;
	}
	for (size_t at = 0; at < size; at += raw_size(sorter->bytes + at)) {
		const unsigned char *raw = sorter->bytes + at;
		uint64_t cluster = layout_cluster(layout, raw_hash(raw)) - first;

		sorter->raws[sorter->counts[cluster]++] = raw;
	}
	*out_count = count;
	return true;
}

static bool carry(struct sorter *sorter, size_t from, size_t count)
{
	size_t size = 0;
	unsigned char *carried;

	for (size_t i = from; i < count; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): sort_partition() fills it */
		size += raw_size(sorter->raws[i]);
	carried = malloc(size + 1);
	if (carried == NULL)
		return false;
	free(sorter->carried);
	sorter->carried = carried;
	sorter->carried_bytes = size;
	for (size_t i = from; i < count; i++) {
		memcpy(carried, sorter->raws[i], raw_size(sorter->raws[i]));
		carried += raw_size(sorter->raws[i]);
	}
	return true;
}

/* Entries in the order of their clusters lie anywhere in memory: fetch them into the cache in
 * time. */
static void fetch(const struct sorter *sorter, size_t from, size_t to, size_t count)
{
	for (size_t i = from; i < to && i < count; i++) {
		__builtin_prefetch(sorter->raws[i]);
		__builtin_prefetch(sorter->raws[i] + CACHE_LINE_BYTES);
	}
}

static bool lay_out_partition(struct table_writer *writer, struct layout *layout,
			      struct sorter *sorter, size_t partition, struct error *err)
{
	size_t partitions = (size_t)1 << writer->partition_bits;
	uint64_t limit = layout->lines;
	uint64_t first = layout->line * LINE_CLUSTERS;
	size_t size, count;
	size_t next = 0;

	if (partition + 1 < partitions)
		limit = layout_cluster(layout, (uint64_t)(partition + 1)
						       << (64 - writer->partition_bits)) /
			LINE_CLUSTERS;
	if (!load_partition(writer, sorter, partition, &size, err))
		return false;
	if (!sort_partition(layout, sorter, size, first,
			    (size_t)((limit + 1) * LINE_CLUSTERS - first), &count))
		return error_set_memory(err);
	while (layout->line < limit) {
		const uint32_t *ends = sorter->counts + (layout->line * LINE_CLUSTERS - first);

		fetch(sorter, next + FETCH_AHEAD, ends[LINE_CLUSTERS - 1] + FETCH_AHEAD, count);
		if (!layout_line(layout, sorter->raws, next, ends, err))
			return false;
		next = ends[LINE_CLUSTERS - 1];
	}
	return carry(sorter, next, count) || error_set_memory(err);
}

bool writer_lay_out_entries(struct table_writer *writer, struct layout *layout, struct error *err)
{
	struct sorter sorter = { .bytes = NULL };
	bool is_done = true;

	for (size_t i = 0; is_done && i < (size_t)1 << writer->partition_bits; i++)
		is_done = lay_out_partition(writer, layout, &sorter, i, err);
	sorter_free(&sorter);
	return is_done;
}
