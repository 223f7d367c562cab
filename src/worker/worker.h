/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker - the process that serves: table, libmilter, and a thread that takes the master's orders.
 *
 * It stops when its master is gone; no signal but KILL stops it. One that is told to retire leaves
 * new connections to another, and ends with its last session.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>

#include "settings/settings.h"

struct worker_options {
	const struct settings *settings; /* as at the start of the master */
	int settings_fd;      /* of the last reload, see settings_reader_result(); -1: none yet */
	int copy_fd;          /* the table_copy of the last table that was in use; -1: none */
	unsigned number;      /* see counters_be_worker() */
	bool is_another;      /* one has served before: so begin in any case, see reload.h */
	bool brings_settings; /* those of settings_fd are new: begin only if all of it is well */
	bool is_socket_given; /* others have it, and it goes on without the master, see given.h */
	int listen_fd;        /* never blocks */
	int orders_fd;        /* the master's end is the other one; see orders.h */
};

/* Serve until told to stop; then the process has ended. Comes back only with the exit status of a
 * failure, for _exit(): threads may run. In a process of its own, with the final user's rights. */
int worker_run(const struct worker_options *options);

#endif
