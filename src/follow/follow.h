/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow - compile whenever the configuration or a source has changed, until asked to stop.
 *
 * To each source that is a database somebody listens, in a process of its own (listeners.h). What
 * that hears is as good as a change that was seen; and whatever it hears, all is read anew each
 * `follow_seconds`.
 *
 * Whatever happens in the folders of these is a hint to look; without any hint it looks each few
 * seconds. Once nothing has changed for a moment, and something is not what was compiled, a process
 * of its own compiles. What it says is printed where it is news: once, and each hour as long as it
 * fails. Not for a process with threads: it forks.
 */
#ifndef FOLLOW_FOLLOW_H
#define FOLLOW_FOLLOW_H

#include "follow/attempt.h"
#include "follow/scout.h"
#include "settings/settings.h"

enum {
	FOLLOW_LOOK_MS = 2000,
	FOLLOW_AGAIN_MS = 60000,   /* what failed, and may be no source's fault */
	FOLLOW_TELL_MS = 30000,    /* between two states that say that all is well */
	FOLLOW_CONFIRM_MS = 5000,  /* likewise, where a database has confirmed it */
	FOLLOW_START_MS = 3000,    /* for listeners, before what they hear is read first */
	FOLLOW_RETRY_MS = 3600000, /* to listen to who was there, and could not be listened to */
};

struct follow_options {
	/* ERR NULL: what is wrong need not be said. */
	struct settings *(*load)(void *context, struct error *err);
	int (*compile)(const struct attempt_help *help, void *context);
	/* The same where nothing but a database may have changed: a table that says what the one
	 * in use says isn't published. */
	int (*compile_anew)(const struct attempt_help *help, void *context);
	void *context; /* of these */
	/* Listen to the source INDEX of CONTEXT, which is a struct settings, in a process of its
	 * own; it tells by scout_tell(), to FD, and writes the journal of MIRROR, if it is one. */
	scout_listen *listen;
	/* What SOURCE is called: "postgresql:main". UTF-8, with neither blanks nor what may not be
	 * shown: it stands in the log, on terminals, and in a label of Prometheus. */
	void (*name)(const struct settings_source *source, char *out_name, size_t size);
	/* The path of the file that has the schema of SOURCE; empty: there is none. */
	void (*schema)(const struct settings_source *source, char *out_path, size_t size);
	const char *configuration; /* where it is, or would be */
	const char *metrics;       /* NULL: none are written */
};

/* Until SIGTERM or SIGINT. SIGHUP: compile at once. The result is an exit status; all was said. */
int follow_run(const struct follow_options *options);

#endif
