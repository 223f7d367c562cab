/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * retired - workers that take no more connections, while their sessions go on.
 *
 * Each ends with its last session, or is told to stop: after an hour, or once there are more than a
 * few. One that doesn't stop is killed. Times are the caller's, of a clock that never goes back;
 * who reaps the master's children is the caller, too.
 */
#ifndef OPENRCPTD_RETIRED_H
#define OPENRCPTD_RETIRED_H

#include <stdbool.h>
#include <stddef.h>

#include "openrcptd/worker_process.h"

enum {
	RETIRED_MOST = 4, /* the oldest of more is told to stop */
	RETIRED_ROOM = 8, /* with those that are stopping */
	RETIRED_MS = 3600000,
	RETIRED_END_MS = 15000, /* more than a worker takes that was told to stop */
};

struct retired {
	struct worker_process process;
	long long due_ms; /* to be told to stop; or, if it was, to be killed */
	bool was_told;
};

struct retired_workers {
	struct retired list[RETIRED_ROOM]; /* the oldest first */
	size_t count;
};

/* Is there no room for another one? */
bool retired_are_full(const struct retired_workers *workers);

/* Retire TAKE_PROCESS; there must be room. SHARES_SOCKET: another worker takes the connections of
 * its socket. */
void retired_add(struct retired_workers *workers, const struct worker_process *take_process,
		 bool shares_socket, long long now_ms);

/* Do what is due. */
void retired_work(struct retired_workers *workers, long long now_ms);

/* When something is due, or LLONG_MAX. */
long long retired_due_ms(const struct retired_workers *workers);

/* A child of the master has ended, with what waitpid() said. False: it was another one. */
bool retired_has_ended(struct retired_workers *workers, pid_t child, int wait_status);

/* Does one of them have this number, see counters_be_worker()? */
bool retired_have_number(const struct retired_workers *workers, unsigned number);

/* The service stops: tell all, or kill all. */
void retired_stop(struct retired_workers *workers, long long now_ms);
void retired_kill(const struct retired_workers *workers);

#endif
