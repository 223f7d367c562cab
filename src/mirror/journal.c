/* SPDX-License-Identifier: BSD-2-Clause */
#include "mirror/journal.h"

#include <unistd.h>

#include "base/hash.h"
#include "mirror/copied_entry.h"
#include "mirror/mirror_header.h"

enum {
	JOURNAL_BYTES_MAX = 64 << 20, /* then a new base is cheaper */
	RECORD_BYTES_MAX = 16 << 20,
};

void journal_init(struct journal *journal, const struct mirror *mirror, const char *source,
		  const struct directory_options *options, const struct directory_search *searches,
		  size_t count)
{
	*journal = (struct journal){ .mirror = mirror };
	buffer_init(&journal->record, RECORD_BYTES_MAX);
	mirror_forget(mirror);
	if (count > MIRROR_SEARCHES_MAX)
		return;
	for (size_t i = 0; i < count; i++)
		journal->searches[i] = mirror_search_id(source, options, &searches[i]);
	journal->search_count = count;
}

static void stop(struct journal *journal)
{
	mirror_forget(journal->mirror);
	journal->size = 0;
}

/* Under a new number; what was read under another one is of no use. */
static void begin(struct journal *journal)
{
	struct mirror_header header = { .size = MIRROR_HEADER_BYTES,
					.search_count = journal->search_count };
	int fd = journal->mirror->journal_fd;

	stop(journal);
	if (journal->search_count == 0 || !hash_random_seed(&header.number))
		return;
	header.number |= 1;
	memcpy(header.searches, journal->searches, sizeof(header.searches));
	if (ftruncate(fd, MIRROR_HEADER_BYTES) == 0 && mirror_header_write(fd, &header))
		journal->size = MIRROR_HEADER_BYTES;
	else
		stop(journal);
}

static void add(struct journal *journal, const struct directory_change *change)
{
	const struct copied_entry record = { .search = (uint32_t)change->search, .id = change->id };
	struct buffer *bytes = &journal->record;

	buffer_clear(bytes);
	if (!copied_entry_put(&record, change->entry, bytes) ||
	    pwrite(journal->mirror->journal_fd, bytes->data, bytes->size, (off_t)journal->size) !=
		    (ssize_t)bytes->size ||
	    !mirror_header_grow(journal->mirror->journal_fd, journal->size + bytes->size))
		stop(journal);
	else
		journal->size += bytes->size;
}

void journal_change(struct journal *journal, const struct directory_change *change)
{
	if (journal->mirror->journal_fd < 0)
		return;
	switch (change->kind) {
	case DIRECTORY_CHANGE_ANY:
		begin(journal);
		break;
	case DIRECTORY_CHANGE_ENTRY:
		if (journal->size > JOURNAL_BYTES_MAX)
			begin(journal);
		if (journal->size > 0)
			add(journal, change);
		break;
	}
}

void journal_end(struct journal *journal)
{
	mirror_forget(journal->mirror);
	buffer_free(&journal->record);
}
