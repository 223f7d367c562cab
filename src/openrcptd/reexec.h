/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reexec - the program that is to take this one's place: which it is, and whether it could.
 *
 * It is asked first, in a process of its own: does it understand what it will be given, are the
 * settings well, and the table? Only then the master becomes that program (takeover.h), for then
 * there is no way back.
 */
#ifndef OPENRCPTD_REEXEC_H
#define OPENRCPTD_REEXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

enum { REEXEC_SECONDS = 30 /* for its answer */ };

/* Both programs say it; another one can't be taken over from. */
#define REEXEC_VERSION "2"

/* Remember the path of this program and its ARGUMENTS, which stay the caller's. Once, before
 * anything that may replace the file. */
void reexec_init(char **arguments);

struct reexec {
	pid_t pid;      /* of the process that asks; 0: none */
	int words_fd;   /* what it says; -1: none */
	bool is_wanted; /* somebody asked for it since the last one began */
	bool is_well;   /* the answer is there: it can */
};

#define REEXEC_NONE ((struct reexec){ .words_fd = -1 })

/* Ask the program, with the settings in FILE. False: nobody is asked (status 71). */
bool reexec_ask(struct reexec *reexec, const char *file, struct error *err);

/* A child of the master has ended, with what waitpid() said. False: it was another one. ERR is
 * filled where it said no, or nothing. */
bool reexec_has_ended(struct reexec *reexec, pid_t child, int wait_status, struct error *err);

/* Over, one way or the other; whoever asked for it meanwhile still wants it. */
void reexec_forget(struct reexec *reexec);

/* Become that program, with the same arguments; open descriptors stay open that aren't closed on
 * exec. Comes back only where that failed. */
void reexec_now(struct error *err);

#endif
