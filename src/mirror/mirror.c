/* SPDX-License-Identifier: BSD-2-Clause */
#include "mirror/mirror.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "mirror/mirror_header.h"

/* ---- the files ---------------------------------------------------------------------------- */

bool mirror_open(struct mirror *mirror, const char *folder, struct error *err)
{
	*mirror = MIRROR_NONE;
	mirror->base_fd = file_open_unnamed(folder, err);
	if (mirror->base_fd >= 0)
		mirror->journal_fd = file_open_unnamed(folder, err);
	if (mirror->journal_fd >= 0)
		return true;
	mirror_close(mirror);
	return false;
}

void mirror_close(struct mirror *mirror)
{
	int fds[] = { mirror->base_fd, mirror->journal_fd };

	/* Another process may have them open for as long as it lives: it needs nothing in them. */
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0) {
			(void)!ftruncate(fds[i], 0);
			(void)close(fds[i]);
		}
	*mirror = MIRROR_NONE;
}

void mirror_forget(const struct mirror *mirror)
{
	if (mirror->journal_fd >= 0)
		mirror_header_void(mirror->journal_fd);
}

/* ---- headers ------------------------------------------------------------------------------ */

bool mirror_header_read(int fd, struct mirror_header *out_header)
{
	struct mirror_header header;

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    header.number == 0 || header.search_count > MIRROR_SEARCHES_MAX ||
	    header.size < MIRROR_HEADER_BYTES)
		return false;
	*out_header = header;
	return true;
}

void mirror_header_void(int fd)
{
	const uint64_t none = 0;

	/* An empty file has no number either. */
	if (pwrite(fd, &none, sizeof(none), offsetof(struct mirror_header, number)) !=
	    (ssize_t)sizeof(none))
		(void)!ftruncate(fd, 0); /* one of both can be done, or the disk is gone */
}

bool mirror_header_write(int fd, const struct mirror_header *header)
{
	struct mirror_header numberless = *header;

	numberless.number = 0;
	return pwrite(fd, &numberless, sizeof(numberless), 0) == (ssize_t)sizeof(numberless) &&
	       pwrite(fd, &header->number, sizeof(header->number),
		      offsetof(struct mirror_header, number)) == (ssize_t)sizeof(header->number);
}

bool mirror_header_grow(int fd, uint64_t size)
{
	return pwrite(fd, &size, sizeof(size), offsetof(struct mirror_header, size)) ==
	       (ssize_t)sizeof(size);
}

size_t mirror_header_find(const struct mirror_header *header, uint64_t id)
{
	size_t place = 0;

	while (place < header->search_count && header->searches[place] != id)
		place++;
	return place;
}

/* ---- what a search is known by ------------------------------------------------------------ */

static uint64_t add(uint64_t hash, const char *text)
{
	if (text == NULL)
		return hash_key(bytes_make(NULL, 0), hash + 1);
	return hash_key(bytes_make(text, strlen(text) + 1), hash);
}

uint64_t mirror_search_id(const char *source, const struct directory_options *options,
			  const struct directory_search *search)
{
	uint64_t numbers[] = { options->bind, options->dereference, search->scope };
	uint64_t hash = hash_key(bytes_make(numbers, sizeof(numbers)), 1);

	hash = add(add(add(hash, options->uris), options->user), options->authorization);
	hash = add(add(add(hash, source), search->base), search->filter);
	for (size_t i = 0; search->attributes[i] != NULL; i++)
		hash = add(hash, search->attributes[i]);
	return hash;
}
