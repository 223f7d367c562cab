/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scout - a process of its own that hears of the changes of one source, so that nothing of the
 * library for a database can block or end who watches.
 *
 * It tells by lines through a pipe. What it may tell is here; who makes sense of it is
 * listeners.h.
 */
#ifndef FOLLOW_SCOUT_H
#define FOLLOW_SCOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "mirror/mirror.h"

enum { SCOUT_LINE_BYTES = 600 };

enum scout_word {
	SCOUT_NOTHING,   /* no whole line has come */
	SCOUT_BACK,      /* it listens; what was changed before isn't known */
	SCOUT_CHANGED,   /* something may have changed */
	SCOUT_CONFIRMED, /* the server was asked: nothing has, since the last word */
	SCOUT_LOST,      /* the server is away: the text says why; it tries again by itself */
	SCOUT_DOUBT,     /* what makes it late or unsure, before BACK; the text says it */
	SCOUT_POLLED,    /* this source tells nothing now, as the text says; the process ends */
};

struct scout {
	pid_t pid; /* -1: there is none */
	int fd;    /* to be polled; -1: likewise */
	char line[SCOUT_LINE_BYTES];
	size_t size;      /* of what has come of a line */
	bool is_too_long; /* that line is too long */
};

#define SCOUT_NONE ((struct scout){ .pid = -1, .fd = -1 })

/* Listen to the source INDEX of CONTEXT, write the journal of MIRROR, and tell by scout_tell(), to
 * FD, until that fails. The result is an exit status. */
typedef int scout_listen(size_t index, int fd, const struct mirror *mirror, const void *context);

/*
 * Have LISTEN run with INDEX, MIRROR and CONTEXT; it tells by scout_tell(), to FD, and ends where
 * that fails. It is ended with us. Signals that are blocked here aren't there, and none is handled.
 */
bool scout_start(struct scout *scout, scout_listen *listen, size_t index,
		 const struct mirror *mirror, const void *context, struct error *err);

/* In that process: tell WORD. TEXT may be anything; NULL: none. False: nobody hears it. */
bool scout_tell(int fd, enum scout_word word, const char *text);

/* The next word that has come; OUT_TEXT is good until the next call. */
enum scout_word scout_hear(struct scout *scout, const char **out_text);

/* Has it ended? What it told before is to be heard first. */
bool scout_has_ended(struct scout *scout);

/* End it, if it is there, and wait for that. */
void scout_close(struct scout *scout);

#endif
