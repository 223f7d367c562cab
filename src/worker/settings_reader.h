/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings_reader - a short-lived process that reads the settings for a reload.
 *
 * It alone reads the file: master and worker take what it has found, so they can't disagree. And
 * whatever happens to it costs this one reload: libconfig may die where memory is short, or end the
 * process, and a file system may hang. The result is packed (settings/pack.h) in a file without a
 * name, which nobody can change any more. The master never looks into it; it keeps the last one
 * that a worker has taken over, for the workers that follow. What takes more than a reload is in it
 * as it runs.
 *
 * The master reaps its children, and says when this one has ended.
 */
#ifndef WORKER_SETTINGS_READER_H
#define WORKER_SETTINGS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "settings/settings.h"

enum { SETTINGS_READER_SECONDS = 10 /* then it is killed */ };

struct settings_reader {
	pid_t pid;     /* 0: nobody reads */
	int result_fd; /* what it writes, or has written; -1: none */
};

#define SETTINGS_READER_NONE ((struct settings_reader){ .result_fd = -1 })

/* Read the file of RUNNING anew. The COUNT descriptors of MASTERS (some may be -1) are closed in
 * the new process, which must hold neither lock nor worker longer than the master does. False:
 * nobody reads (status 71). */
bool settings_reader_start(struct settings_reader *reader, const struct settings *running,
			   const int *masters, size_t count, struct error *err);

/* It has ended, with what waitpid() said. True: result_fd is complete and sound. False: logged. */
bool settings_reader_end(struct settings_reader *reader, int wait_status, const char *file);

/* Take the result away from it. */
int settings_reader_take(struct settings_reader *reader);

/* Forget what there is, and kill it if it still reads. Is there something to forget? */
bool settings_reader_cancel(struct settings_reader *reader);

/* In any process: what a reader has found. NULL on failure, see ERR. FD stays open. */
struct settings *settings_reader_result(int fd, struct error *err);

#endif
