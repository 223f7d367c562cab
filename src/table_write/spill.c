/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/spill.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"

enum { CHUNK_BYTES = 65536 };

struct extent {
	off_t offset;
	size_t size;
};

struct partition {
	unsigned char *chunk; /* of the pool, or large */
	unsigned char *large; /* where one string is more than a chunk; NULL: none was */
	size_t used;
	size_t room;
	size_t total;
	struct extent *extents;
	size_t extent_count;
	size_t extent_room;
};

struct spill {
	/* One chunk for each partition: most of the memory of a build. The heap isn't used, since
	 * whatever follows the chunks there would keep them from going back to the system. */
	unsigned char *pool;
	struct partition *partitions;
	size_t count;
	const char *directory;
	int fd;
	off_t end;
};

struct spill *spill_new(size_t partitions, const char *directory, struct error *err)
{
	struct spill *spill = calloc(1, sizeof(*spill));

	if (spill == NULL)
		goto out_of_memory;
	*spill = (struct spill){ .count = partitions, .directory = directory, .fd = -1 };
	spill->partitions = calloc(partitions, sizeof(*spill->partitions));
	if (spill->partitions == NULL)
		goto out_of_memory;
	spill->pool = mmap(NULL, partitions * CHUNK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (spill->pool == MAP_FAILED) {
		spill->pool = NULL;
		goto out_of_memory;
	}
	return spill;

out_of_memory:
	spill_free(spill);
	error_fill_memory(err);
	return NULL;
}

static unsigned char *pool_chunk(const struct spill *spill, size_t number)
{
	return spill->pool + number * CHUNK_BYTES;
}

static void drop(struct spill *spill, size_t number)
{
	struct partition *partition = &spill->partitions[number];

	if (spill->pool != NULL)
		(void)madvise(pool_chunk(spill, number), CHUNK_BYTES,
			      MADV_DONTNEED); /* else it stays until the end */
	free(partition->large);
	free(partition->extents);
	*partition = (struct partition){ .chunk = NULL };
}

void spill_free(struct spill *spill)
{
	if (spill == NULL)
		return;
	for (size_t i = 0; spill->partitions != NULL && i < spill->count; i++)
		drop(spill, i);
	free(spill->partitions);
	if (spill->pool != NULL)
		(void)munmap(spill->pool, spill->count * CHUNK_BYTES); /* it was mapped */
	if (spill->fd >= 0)
		(void)close(spill->fd); /* nothing in it is needed any more */
	free(spill);
}

static bool write_chunk(struct spill *spill, struct partition *partition, struct error *err)
{
	if (partition->used == 0)
		return true;
	if (spill->fd < 0)
		spill->fd = file_open_unnamed(spill->directory, err);
	if (spill->fd < 0)
		return false;
	if (partition->extent_count == partition->extent_room) {
		size_t room = partition->extent_room == 0 ? 8 : partition->extent_room * 2;
		struct extent *extents = realloc(partition->extents, room * sizeof(*extents));

		if (extents == NULL)
			return error_set_memory(err);
		partition->extents = extents;
		partition->extent_room = room;
	}
	if (!file_write_all(spill->fd, bytes_make(partition->chunk, partition->used)))
		return error_set_errno(err, EX_IOERR, "%s: temporary file", spill->directory);
	partition->extents[partition->extent_count++] =
		(struct extent){ .offset = spill->end, .size = partition->used };
	spill->end += (off_t)partition->used;
	partition->used = 0;
	return true;
}

/* First use, or one string larger than a chunk. Nothing is in it. */
static bool make_chunk(const struct spill *spill, struct partition *partition, size_t size)
{
	if (partition->room >= size && partition->room > 0)
		return true;
	if (size <= CHUNK_BYTES) {
		partition->chunk = pool_chunk(spill, (size_t)(partition - spill->partitions));
		partition->room = CHUNK_BYTES;
		return true;
	}
	free(partition->large);
	partition->large = malloc(size);
	partition->chunk = partition->large;
	partition->room = partition->large == NULL ? 0 : size;
	return partition->large != NULL;
}

unsigned char *spill_append(struct spill *spill, size_t number, size_t size, struct error *err)
{
	struct partition *partition = &spill->partitions[number];
	unsigned char *at;

	if (partition->room - partition->used < size) {
		if (!write_chunk(spill, partition, err))
			return NULL;
		if (!make_chunk(spill, partition, size)) {
			error_fill_memory(err);
			return NULL;
		}
	}
	at = partition->chunk + partition->used;
	partition->used += size;
	partition->total += size;
	return at;
}

size_t spill_bytes(const struct spill *spill, size_t partition)
{
	return spill->partitions[partition].total;
}

static bool read_extent(int fd, struct extent extent, unsigned char *out)
{
	size_t done = 0;

	while (done < extent.size) {
		ssize_t got =
			pread(fd, out + done, extent.size - done, extent.offset + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

bool spill_take(struct spill *spill, size_t number, unsigned char *out, struct error *err)
{
	struct partition *partition = &spill->partitions[number];

	for (size_t i = 0; i < partition->extent_count; i++) {
		if (!read_extent(spill->fd, partition->extents[i], out))
			return error_set_errno(err, EX_IOERR, "%s: temporary file",
					       spill->directory);
		out += partition->extents[i].size;
	}
	if (partition->used > 0)
		memcpy(out, partition->chunk, partition->used);
	drop(spill, number);
	return true;
}
