/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines - a text file as logical lines, as Postfix reads its tables.
 *
 * Blank lines and lines whose first non-white character is `#` vanish, also between a line and its
 * continuation; a line that begins with white space continues the one before, joined with its
 * leading blanks. A byte order mark in front of the file is passed over. The last line may lack its
 * newline. A file is read once, in big blocks; memory is bounded by the longest logical line, which
 * is limited. Owned by one thread.
 */
#ifndef SOURCES_LINES_H
#define SOURCES_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "sources/report.h"

struct lines;

enum lines_form {
	LINES_LOGICAL,  /* as described above */
	LINES_PHYSICAL, /* every line for itself; `#` and blank lines still vanish */
};

enum lines_step {
	LINES_LINE,
	LINES_END,    /* to the end, and the file didn't change meanwhile */
	LINES_FAILED, /* reported */
};

/*
 * Open PATH, which must stay until lines_close(). NULL, and reported, where it isn't there (66),
 * can't be read, or others may write it or its directory (77).
 */
struct lines *lines_open(const char *path, enum lines_form form, struct report *report);

/* May PATH, which has STATUS, be a source, by who can write it and its directory? False: reported.
 */
bool lines_trust(const char *path, const struct stat *status, struct report *report);

/* Accepts NULL. */
void lines_close(struct lines *lines);

/* The next logical line without its newline, good until the next call. Lines with NUL bytes, and
 * lines that continue nothing, are reported and passed over. */
enum lines_step lines_next(struct lines *lines, struct bytes *out_line, uint32_t *out_number);

/* Owner and mode when it was opened. */
const struct stat *lines_status(const struct lines *lines);

#endif
