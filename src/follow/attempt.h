/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attempt - one compilation in a process of its own, so that whatever ends it ends only it.
 *
 * What it prints, and which files it reads, in which state, goes into memory that both have, and is
 * there when it has ended.
 */
#ifndef FOLLOW_ATTEMPT_H
#define FOLLOW_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "mirror/mirror.h"

/* To be called for each file that is read, with its state. */
typedef void attempt_on_file(const char *path, const struct stat *status, void *context);

/* What who compiles gets; good until the process ends. */
struct attempt_help {
	attempt_on_file *on_file; /* to be called with FILE_CONTEXT */
	void *file_context;
	const struct mirrors *mirrors; /* NULL: there are none */
};

struct attempt {
	pid_t pid; /* -1: none is under way */
	int messages_fd;
	int files_fd;
	int64_t began_ms;
};

#define ATTEMPT_NONE ((struct attempt){ .pid = -1, .messages_fd = -1, .files_fd = -1 })

/* Have COMPILE run, with MIRRORS and CONTEXT; what it returns is the exit status. Signals that are
 * blocked here aren't there, and none is handled. */
bool attempt_start(struct attempt *attempt,
		   int (*compile)(const struct attempt_help *help, void *context),
		   const struct mirrors *mirrors, void *context, struct error *err);

/* Has it ended? Then *OUT_STATUS is its exit status (71: a signal has ended it, which OUT_MESSAGES
 * says), and OUT_MESSAGES what it printed. attempt_next_file() is good until attempt_close(). */
bool attempt_ended(struct attempt *attempt, int *out_status, struct buffer *out_messages);

/* May one that ended with STATUS end otherwise though no source is another? A full disk does; a
 * mistake in a source stays one. */
bool attempt_may_mend_itself(int status);

/* One file that it has read; PATH is in ROOM. *POSITION begins as 0. False: there are no more. */
bool attempt_next_file(const struct attempt *attempt, uint64_t *position, char *room,
		       size_t room_size, struct file_identity *out_identity);

/* End it if it is under way, and wait for that. */
void attempt_close(struct attempt *attempt);

#endif
