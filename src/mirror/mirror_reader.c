/* SPDX-License-Identifier: BSD-2-Clause */
#include "mirror/mirror_reader.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/keyset.h"
#include "mirror/copied_entry.h"
#include "mirror/mirror_header.h"

#define ARENA_BYTES ((size_t)4 << 30)

/* What the journal says last of an entry. */
struct change {
	struct keyset_entry entry; /* by its id */
	struct copied_entry record;
};

struct mirror_reader {
	const struct mirrors *mirrors;
	const char *source;
	const struct directory_options *options;
	const struct mirror *mirror; /* NULL: none was found yet */
	struct mirror_header header;
	struct bytes base; /* mapped; with its header */
	char *journal;
	struct arena arena;   /* for the changes */
	struct arena scratch; /* for one entry */
	struct keyset changes[MIRROR_SEARCHES_MAX];
	bool has_failed;

	/* Of the search at hand. */
	uint32_t search;
	struct bytes rest;                 /* of the base */
	const struct keyset_entry *change; /* next, once the base is over */
};

struct mirror_reader *mirror_reader_new(const struct mirrors *mirrors, const char *source,
					const struct directory_options *options)
{
	struct mirror_reader *reader = calloc(1, sizeof(*reader));
	uint64_t seed;

	if (reader == NULL || !hash_random_seed(&seed)) {
		free(reader);
		return NULL;
	}
	reader->mirrors = mirrors;
	reader->source = source;
	reader->options = options;
	arena_init(&reader->arena, ARENA_BYTES);
	arena_init(&reader->scratch, ARENA_BYTES);
	for (size_t i = 0; i < MIRROR_SEARCHES_MAX; i++)
		keyset_init(&reader->changes[i], &reader->arena, seed);
	return reader;
}

void mirror_reader_free(struct mirror_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->base.size > 0)
		(void)munmap((void *)reader->base.data, reader->base.size); /* it was mapped */
	free(reader->journal);
	arena_free(&reader->arena);
	arena_free(&reader->scratch);
	free(reader);
}

/* ---- the journal -------------------------------------------------------------------------- */

static bool add_change(struct mirror_reader *reader, const struct copied_entry *record)
{
	struct keyset *changes = &reader->changes[record->search];
	struct change *change = (struct change *)keyset_find(changes, record->id);

	if (change != NULL) {
		change->record = *record;
		return true;
	}
	change = arena_alloc(&reader->arena, sizeof(*change));
	if (change == NULL || !keyset_reserve(changes, 1))
		return false;
	*change = (struct change){ .entry.key = record->id, .record = *record };
	keyset_insert(changes, &change->entry);
	return true;
}

static bool take_changes(struct mirror_reader *reader, struct bytes rest)
{
	struct copied_entry record;

	for (;;) {
		switch (copied_entry_next(&rest, &record)) {
		case COPIED_ENTRY_END:
			return true;
		case COPIED_ENTRY_DAMAGED:
			return false;
		case COPIED_ENTRY_FOUND:
			break;
		}
		if (record.search >= reader->header.search_count || !add_change(reader, &record))
			return false;
	}
}

static bool read_all(int fd, char *out, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, out + done, size - done, (off_t)done);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

/* What it says now, if its number is NUMBER, and still is when it was read. */
static bool read_journal(struct mirror_reader *reader, int fd, uint64_t number)
{
	struct mirror_header before, after;

	if (!mirror_header_read(fd, &before) || before.number != number)
		return false;
	reader->journal = malloc(before.size);
	if (reader->journal == NULL || !read_all(fd, reader->journal, before.size))
		return false;
	return mirror_header_read(fd, &after) && after.number == number &&
	       take_changes(reader, bytes_skip(bytes_make(reader->journal, before.size),
					       MIRROR_HEADER_BYTES));
}

/* ---- which one ---------------------------------------------------------------------------- */

static bool map_base(struct mirror_reader *reader, int fd)
{
	size_t size = reader->header.size;
	void *at;

	if (lseek(fd, 0, SEEK_END) != (off_t)size)
		return false;
	at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return false;
	(void)madvise(at, size, MADV_SEQUENTIAL); /* only a hint */
	reader->base = bytes_make(at, size);
	return true;
}

static bool find_mirror(struct mirror_reader *reader, uint64_t id)
{
	for (size_t i = 0; i < reader->mirrors->count; i++) {
		const struct mirror *mirror = &reader->mirrors->items[i];

		if (!mirror_header_read(mirror->base_fd, &reader->header) ||
		    mirror_header_find(&reader->header, id) == reader->header.search_count)
			continue;
		reader->mirror = mirror;
		return read_journal(reader, mirror->journal_fd, reader->header.number) &&
		       map_base(reader, mirror->base_fd);
	}
	return false;
}

bool mirror_reader_search(struct mirror_reader *reader, const struct directory_search *search)
{
	uint64_t id = mirror_search_id(reader->source, reader->options, search);
	size_t place;

	if (reader->mirror == NULL && !reader->has_failed)
		reader->has_failed = !find_mirror(reader, id);
	if (reader->has_failed)
		return false;
	place = mirror_header_find(&reader->header, id);
	reader->has_failed = place == reader->header.search_count;
	if (reader->has_failed)
		return false;
	reader->search = (uint32_t)place;
	reader->rest = bytes_skip(reader->base, MIRROR_HEADER_BYTES);
	reader->change = reader->changes[place].first;
	return true;
}

/* ---- entries ------------------------------------------------------------------------------ */

static enum directory_step fail(struct mirror_reader *reader)
{
	reader->has_failed = true;
	return DIRECTORY_FAILED;
}

static enum directory_step hand_out(struct mirror_reader *reader, const struct copied_entry *record,
				    struct directory_entry *out_entry)
{
	arena_clear(&reader->scratch);
	return copied_entry_unpack(record, &reader->scratch, out_entry) ? DIRECTORY_ENTRY
									: fail(reader);
}

/* Does RECORD, of the base, count? What was told came before it or after; whatever is newer will be
 * told, too. */
static bool counts(const struct mirror_reader *reader, const struct copied_entry *record)
{
	return record->search == reader->search &&
	       keyset_find(&reader->changes[reader->search], record->id) == NULL;
}

/* Once the base is over. */
static enum directory_step next_change(struct mirror_reader *reader,
				       struct directory_entry *out_entry)
{
	while (reader->change != NULL) {
		const struct change *change = (const struct change *)reader->change;

		reader->change = change->entry.next;
		if (!change->record.is_gone)
			return hand_out(reader, &change->record, out_entry);
	}
	return DIRECTORY_END;
}

enum directory_step mirror_reader_next(struct mirror_reader *reader,
				       struct directory_entry *out_entry)
{
	struct copied_entry record;

	if (reader->has_failed)
		return DIRECTORY_FAILED;
	for (;;) {
		switch (copied_entry_next(&reader->rest, &record)) {
		case COPIED_ENTRY_DAMAGED:
			return fail(reader);
		case COPIED_ENTRY_END:
			return next_change(reader, out_entry);
		case COPIED_ENTRY_FOUND:
			break;
		}
		if (counts(reader, &record))
			return hand_out(reader, &record, out_entry);
	}
}
