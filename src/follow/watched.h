/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watched - the files that a table is made of, and whether one of them has changed. A folder may be
 * one: what comes, goes or is renamed in it changes it.
 *
 * Truth is what stat(2) says of each path, links followed: another inode, size or time is a change,
 * and so is that it is there or no more. Two states are kept of each file: the one that was last
 * seen, and the one that was last compiled.
 */
#ifndef FOLLOW_WATCHED_H
#define FOLLOW_WATCHED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/file.h"

struct watched_file {
	char *path;
	struct file_identity seen; /* all zero: it can't be looked at */
	struct file_identity compiled;
	bool is_wanted;
};

/* All zero: none. */
struct watched {
	struct watched_file *files;
	size_t count;
};

void watched_free(struct watched *watched);

/* Watch PATH, too. One that is new counts as compiled as it is now. False: no memory. */
bool watched_add(struct watched *watched, const char *path);

/* How many of them are files: the path of a folder has a slash at its end. */
size_t watched_count_files(const struct watched *watched);

bool watched_has(const struct watched *watched, const char *path);

/* Begin a new list: what isn't added until watched_drop() is watched no more after that. */
void watched_renew(struct watched *watched);
void watched_drop(struct watched *watched);

/* Look at all of them. Has one changed since the last look? */
bool watched_look(struct watched *watched);

/* They are being compiled as they were last seen. */
void watched_take(struct watched *watched);

/* PATH, which is watched, was compiled in this state. */
void watched_took(struct watched *watched, const char *path, const struct file_identity *identity);

/* Is one of them not what was compiled? */
bool watched_has_news(const struct watched *watched);

#endif
