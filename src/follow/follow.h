/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow - compile whenever the configuration or a source has changed, until asked to stop.
 *
 * Whatever happens in the folders of these is a hint to look; without any hint it looks each few
 * seconds. Once nothing has changed for a moment, and something is not what was compiled, a process
 * of its own compiles. What it says is printed where it is news: once, and each hour as long as it
 * fails. Not for a process with threads: it forks.
 */
#ifndef FOLLOW_FOLLOW_H
#define FOLLOW_FOLLOW_H

#include "follow/attempt.h"
#include "settings/settings.h"

enum {
	FOLLOW_LOOK_MS = 2000,
	FOLLOW_AGAIN_MS = 60000, /* what failed, and may be no source's fault */
	FOLLOW_TELL_MS = 30000,  /* between two states that say that all is well */
};

struct follow_options {
	/* ERR NULL: what is wrong need not be said. */
	struct settings *(*load)(void *context, struct error *err);
	int (*compile)(attempt_on_file *on_file, void *file_context, void *context);
	void *context;             /* of both */
	const char *configuration; /* where it is, or would be */
	const char *metrics;       /* NULL: none are written */
};

/* Until SIGTERM or SIGINT. SIGHUP: compile at once. The result is an exit status; all was said. */
int follow_run(const struct follow_options *options);

#endif
