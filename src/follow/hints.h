/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hints - be woken when something happens in the folders of what is watched.
 *
 * A hint only: it may be missed, or come for nothing, and where the system gives none who polls is
 * only later. Folders are watched, not files: so a file that is replaced, or made again, is seen. A
 * path with a slash at its end is a folder itself.
 */
#ifndef FOLLOW_HINTS_H
#define FOLLOW_HINTS_H

#include <stdbool.h>

#include "follow/watched.h"

struct hints {
	int fd; /* to be polled; -1: there are none */
};

#define HINTS_NONE ((struct hints){ .fd = -1 })

/* Watch the folders of all files anew: a path may lead to another folder than before. */
void hints_set(struct hints *hints, const struct watched *watched);
void hints_close(struct hints *hints);

/* Forget what has come so far. Was there any? */
bool hints_take(struct hints *hints);

#endif
