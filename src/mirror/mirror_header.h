/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror_header - what both files of a mirror begin with. Records follow (copied_entry.h).
 */
#ifndef MIRROR_MIRROR_HEADER_H
#define MIRROR_MIRROR_HEADER_H

#include "mirror/mirror.h"

enum { MIRROR_HEADER_BYTES = 4096 };

struct mirror_header {
	uint64_t number; /* 0: what follows is of no use */
	uint64_t size;   /* of what is good of the file */
	uint64_t search_count;
	uint64_t searches[MIRROR_SEARCHES_MAX]; /* records name one by its place */
};

/* False: it can't be read, or is of no use. */
bool mirror_header_read(int fd, struct mirror_header *out_header);

/* The number is written last. */
bool mirror_header_write(int fd, const struct mirror_header *header);

/* More of the file is good. */
bool mirror_header_grow(int fd, uint64_t size);

/* The file is of no use. */
void mirror_header_void(int fd);

/* The place of the search with ID, or search_count. */
size_t mirror_header_find(const struct mirror_header *header, uint64_t id);

#endif
