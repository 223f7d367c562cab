/* SPDX-License-Identifier: BSD-2-Clause */
#include "mirror/mirror_recorder.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "mirror/copied_entry.h"

enum { PENDING_BYTES = 1 << 20, PENDING_BYTES_MAX = 64 << 20 };

static const char id_name[] = "entryUUID";

void mirror_recorder_init(struct mirror_recorder *recorder, const struct mirrors *mirrors,
			  const char *source, const struct directory_options *options)
{
	*recorder = (struct mirror_recorder){
		.mirrors = mirrors, .source = source, .options = options, .has_failed = true
	};
	buffer_init(&recorder->pending, PENDING_BYTES_MAX);
}

void mirror_recorder_free(struct mirror_recorder *recorder)
{
	buffer_free(&recorder->pending);
}

void mirror_recorder_begin(struct mirror_recorder *recorder)
{
	recorder->mirror = NULL;
	recorder->has_failed = recorder->mirrors == NULL;
	memset(recorder->has_asked, 0, sizeof(recorder->has_asked));
	buffer_clear(&recorder->pending);
}

/* ---- which one ---------------------------------------------------------------------------- */

/* The mirror whose listener hears of the search with ID. */
static const struct mirror *find_mirror(const struct mirror_recorder *recorder, uint64_t id,
					struct mirror_header *out_header)
{
	for (size_t i = 0; i < recorder->mirrors->count; i++) {
		const struct mirror *mirror = &recorder->mirrors->items[i];

		if (mirror_header_read(mirror->journal_fd, out_header) &&
		    mirror_header_find(out_header, id) < out_header->search_count)
			return mirror;
	}
	return NULL;
}

/* An empty base; what was in it is of no use from here on. */
static bool begin_base(struct mirror_recorder *recorder, uint64_t id)
{
	int fd;

	recorder->mirror = find_mirror(recorder, id, &recorder->header);
	if (recorder->mirror == NULL)
		return false;
	fd = recorder->mirror->base_fd;
	mirror_header_void(fd);
	return ftruncate(fd, 0) == 0 && ftruncate(fd, MIRROR_HEADER_BYTES) == 0 &&
	       lseek(fd, MIRROR_HEADER_BYTES, SEEK_SET) == MIRROR_HEADER_BYTES;
}

static bool is_asked_for(const struct directory_search *search, const char *name)
{
	for (size_t i = 0; search->attributes[i] != NULL; i++)
		if (bytes_equal_ascii_nocase(bytes_of(search->attributes[i]), bytes_of(name)))
			return true;
	return false;
}

bool mirror_recorder_search(struct mirror_recorder *recorder, const struct directory_search *search)
{
	uint64_t id;
	size_t place;

	if (recorder->has_failed)
		return false;
	id = mirror_search_id(recorder->source, recorder->options, search);
	if (recorder->mirror == NULL && !begin_base(recorder, id)) {
		recorder->has_failed = true;
		return false;
	}
	place = mirror_header_find(&recorder->header, id);
	recorder->search = (uint32_t)place;
	recorder->has_failed = place == recorder->header.search_count;
	recorder->is_wanted = !recorder->has_failed && !recorder->has_asked[place];
	if (!recorder->is_wanted)
		return false;
	recorder->has_asked[place] = true;
	recorder->keeps_id = is_asked_for(search, id_name);
	return true;
}

/* ---- entries ------------------------------------------------------------------------------ */

static int digit_of(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = byte_to_lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* `c3b5…-…` as bytes; false: it is no UUID. */
static bool read_id(struct bytes text, char *out_id)
{
	size_t digits = 0;

	for (size_t i = 0; i < text.size; i++) {
		int digit = digit_of(text.data[i]);

		if (text.data[i] == '-')
			continue;
		if (digit < 0 || digits == 2 * (size_t)DIRECTORY_ID_BYTES)
			return false;
		out_id[digits / 2] =
			(char)(digits % 2 == 0 ? digit << 4
					       : (unsigned char)out_id[digits / 2] | digit);
		digits++;
	}
	return digits == 2 * (size_t)DIRECTORY_ID_BYTES;
}

static bool is_called(const struct directory_attribute *attribute, const char *name)
{
	return bytes_equal_ascii_nocase(attribute->name, bytes_of(name));
}

static bool flush(struct mirror_recorder *recorder)
{
	bool is_written =
		file_write_all(recorder->mirror->base_fd, buffer_bytes(&recorder->pending));

	buffer_clear(&recorder->pending);
	return is_written;
}

/* ENTRY without what was asked for only since it is copied, into OUT. */
static bool put(const struct mirror_recorder *recorder, const struct directory_entry *entry,
		struct directory_attribute *kept, struct buffer *out)
{
	struct copied_entry record = { .search = recorder->search };
	struct directory_entry rest = { .name = entry->name, .attributes = kept };
	char id[DIRECTORY_ID_BYTES];

	for (size_t i = 0; i < entry->count; i++) {
		const struct directory_attribute *attribute = &entry->attributes[i];
		bool is_kept = true;

		if (attribute->count == 1 && is_called(attribute, id_name) &&
		    read_id(attribute->values[0], id)) {
			record.id = bytes_make(id, sizeof(id));
			is_kept = recorder->keeps_id;
		}
		if (is_kept)
			kept[rest.count++] = *attribute;
	}
	return record.id.size > 0 && copied_entry_put(&record, &rest, out);
}

void mirror_recorder_add(struct mirror_recorder *recorder, const struct directory_entry *entry)
{
	struct directory_attribute *kept;

	if (recorder->has_failed || !recorder->is_wanted)
		return;
	kept = calloc(entry->count + 1, sizeof(*kept));
	recorder->has_failed = kept == NULL || !put(recorder, entry, kept, &recorder->pending);
	free(kept);
	if (!recorder->has_failed && recorder->pending.size >= PENDING_BYTES)
		recorder->has_failed = !flush(recorder);
}

/* One that was read for another source, or not at all, would be empty. */
static bool is_whole(const struct mirror_recorder *recorder)
{
	if (recorder->has_failed || recorder->mirror == NULL)
		return false;
	for (size_t i = 0; i < recorder->header.search_count; i++)
		if (!recorder->has_asked[i])
			return false;
	return true;
}

bool mirror_recorder_end(struct mirror_recorder *recorder)
{
	int fd;
	off_t size;

	if (!is_whole(recorder))
		return false;
	recorder->has_failed = true; /* until the next begin */
	fd = recorder->mirror->base_fd;
	if (!flush(recorder) || (size = lseek(fd, 0, SEEK_END)) < MIRROR_HEADER_BYTES)
		return false;
	recorder->header.size = (uint64_t)size;
	return mirror_header_write(fd, &recorder->header);
}
