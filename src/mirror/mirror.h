/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror - a copy of what a directory has answered, and of what it has told since.
 *
 * A directory takes seconds for a million entries, and which of them have changed it tells only who
 * listens all the time (RFC 4533). So who follows one keeps two files without names:
 *
 *   base     all entries of all searches, as a compilation has read them (mirror_recorder.h);
 *   journal  each entry that came, changed or went, as it was told to who listens (journal.h).
 *
 * A compilation that finds both takes from there what it would have asked (mirror_reader.h): that
 * is the state of the directory at one moment, which a search of many pages isn't.
 *
 * A journal has a number, drawn whenever somebody begins to listen; a base has the number of the
 * journal that had begun before the first entry was asked for. Where the two differ, something may
 * be missing between them, and the base is of no use.
 *
 * All processes that follow one directory have the files; one of them writes the journal, another
 * one the base. They are in the folder of the table, and gone with the processes.
 */
#ifndef MIRROR_MIRROR_H
#define MIRROR_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "directory/directory.h"

enum { MIRRORS_MAX = 100, MIRROR_SEARCHES_MAX = 64 };

struct mirror {
	int base_fd; /* -1: there is no mirror */
	int journal_fd;
};

#define MIRROR_NONE ((struct mirror){ .base_fd = -1, .journal_fd = -1 })

/* All that a compilation may find what it reads in. */
struct mirrors {
	struct mirror items[MIRRORS_MAX];
	size_t count;
	bool is_for_writing; /* nothing is to be taken from them: all is read and copied anew */
};

/* Both files, empty, in FOLDER. End them with mirror_close(). */
bool mirror_open(struct mirror *mirror, const char *folder, struct error *err);
void mirror_close(struct mirror *mirror);

/* From here on nobody listens: what is in it is of no use. There may be none. */
void mirror_forget(const struct mirror *mirror);

/* What SEARCH of the source called SOURCE is known by, on connections with OPTIONS: two that may
 * have other answers differ, and so do the same ones of two sources, which have a mirror each. */
uint64_t mirror_search_id(const char *source, const struct directory_options *options,
			  const struct directory_search *search);

#endif
