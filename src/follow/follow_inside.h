/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow_inside - what the files of follow share: follow.c, which waits and decides;
 * follow_compile.c for a compilation from its begin to what is said of its end; follow_look.c for
 * what is watched, and what is told.
 */
#ifndef FOLLOW_FOLLOW_INSIDE_H
#define FOLLOW_FOLLOW_INSIDE_H

#include <limits.h>

#include "base/buffer.h"
#include "follow/complaint.h"
#include "follow/follow.h"
#include "follow/follow_state.h"
#include "follow/hints.h"
#include "follow/listeners.h"
#include "follow/quiet.h"
#include "follow/watched.h"

struct follow {
	const struct follow_options *options;
	struct settings *settings; /* the last that could be read */
	bool has_settings;         /* and these are those that there are now */
	struct watched watched;
	struct hints hints;
	struct attempt attempt;
	struct follow_state state;
	char state_path[PATH_MAX];
	bool has_told_of_state; /* that it can't be written */
	bool has_told_of_files; /* likewise, what is remembered of them */
	struct listeners listeners;
	bool is_wanted;      /* compile, whatever is seen */
	bool has_heard;      /* of a change of a database, since the last compilation began */
	bool is_read_due;    /* databases have to be read, heard or not */
	bool is_anew;        /* the compilation is because of these alone */
	bool is_by_clock;    /* because of the latter alone */
	bool wants_all;      /* from the servers, not out of mirrors */
	bool is_copied;      /* the compilation may take what it reads out of mirrors */
	int64_t start_ms;    /* what was heard until then is read by the first compilation */
	int64_t read_ms;     /* when to read databases, heard or not; 0: not */
	uint64_t began;      /* the date of the attempt that was begun last */
	int64_t began_ms;    /* likewise */
	uint64_t generation; /* of the table then */
	int64_t look_ms;     /* when to look, hint or none */
	struct quiet quiet;
	int64_t again_ms;           /* when to try once more; 0: not */
	int64_t tell_ms;            /* when to write the state once more */
	int64_t told_ms;            /* when it was written last */
	int64_t took_ms;            /* the attempt that has ended */
	struct buffer messages;     /* of the attempt that has ended */
	struct complaint complaint; /* the failure that lasts */
	struct buffer warned;       /* what was printed last of a success */
	struct file_identity table;
};

void follow_say(const char *text);

/* Write the state. */
void follow_tell(struct follow *follow);

/* What is said of the table, into the state. */
void follow_peek_table(struct follow *follow);

/* Watch PATH, too. */
void follow_watch(struct follow *follow, const char *path);

/* Watch what the settings name. */
void follow_watch_configured(struct follow *follow);

/* Was an older table put in place by hand, and has no source changed since the last compilation,
 * whatever became of that one? Then the table is what is wanted. */
bool follow_is_held(struct follow *follow);

/* Read the settings, if they can be, and watch what they name. */
void follow_renew_settings(struct follow *follow);

void follow_look(struct follow *follow, int64_t now);

/* Has the table's file changed since the last call? */
bool follow_is_table_new(struct follow *follow);

/* When databases are read next though nobody has heard of a change. */
void follow_plan_reading(struct follow *follow);

/* Begin a compilation. */
void follow_begin(struct follow *follow);

/* If the compilation has ended: take what comes of it, and say so. */
void follow_end_attempt(struct follow *follow);

/* Say a failure that lasts once more. */
void follow_say_again(struct follow *follow, int64_t now);

#endif
