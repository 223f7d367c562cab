/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known_warnings - what of a table was told when it was installed, in a small file beside it.
 *
 * The file names the sum of its table: beside any other, or where it can't be read, nothing is
 * known, and everything is told again. It is a convenience, never waited for and never an error.
 * Marks are hashes of a warning's class, file and text, and of its line where the text doesn't name
 * what it is about. Not thread-safe: the report holds its lock.
 */
#ifndef SOURCES_KNOWN_WARNINGS_H
#define SOURCES_KNOWN_WARNINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "sources/warnings.h"

struct known_warnings {
	struct buffer marks; /* of uint64_t, sorted: what was told */
	struct buffer kept;  /* likewise, not sorted: what is true of the new table */
};

void known_warnings_init(struct known_warnings *known);
void known_warnings_free(struct known_warnings *known);

uint64_t known_warnings_mark(enum warning warning, const char *file, uint32_t line,
			     const char *text);

bool known_warnings_find(const struct known_warnings *known, uint64_t mark);
void known_warnings_keep(struct known_warnings *known, uint64_t mark);

/* Of the table at PATH, which has the sum CHECKSUM: read what was told; write what was kept, or
 * remove the file where that is nothing. Who writes holds the lock of the table. */
void known_warnings_load(struct known_warnings *known, const char *path, uint64_t checksum);
void known_warnings_save(struct known_warnings *known, const char *path, uint64_t checksum);

#endif
