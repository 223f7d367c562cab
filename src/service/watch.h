/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch - notices a replaced table by looking at its path, without any help of the kernel's.
 *
 * A table is replaced by a rename. What changes in place (an editor, rsync --inplace) is never
 * adopted, and is reported once. The file that was loaded is kept open, so that its inode number
 * can't come back under another table. Used by one thread.
 */
#ifndef SERVICE_WATCH_H
#define SERVICE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"

enum {
	WATCH_MISSING_SECONDS = 600, /* between two reports of a missing file */
	WATCH_RETRY_SECONDS = 10,    /* between two attempts where the file may be sound */
};

struct watch {
	int fd; /* of what was loaded; -1: nothing to hold on to */
	struct file_identity loaded;
	struct file_identity seen; /* when we last looked; it has been reported */
	uint64_t missing_since;    /* when it was last reported; 0: not missing */
	uint64_t retry_at;         /* when to report `seen` once more; 0: never */
};

enum watch_event {
	WATCH_SAME,     /* or reported before */
	WATCH_REPLACED, /* load it */
	WATCH_CHANGED,  /* in place: leave it */
	WATCH_MISSING,
	WATCH_UNKNOWN, /* we can't look, see errno: said at each look */
};

void watch_init(struct watch *watch);
void watch_close(struct watch *watch);

/* The table at PATH was loaded, in the state IDENTITY. */
void watch_set(struct watch *watch, const char *path, const struct file_identity *identity);

/* What was reported could not be loaded, which need not be the file's fault: report it again,
 * WATCH_RETRY_SECONDS from now. */
void watch_try_again(struct watch *watch, uint64_t now_seconds);

/* Look at PATH. NOW_SECONDS is of a clock that never goes back, and not 0. Each state of the file
 * is reported once. */
enum watch_event watch_check(struct watch *watch, const char *path, uint64_t now_seconds);

#endif
