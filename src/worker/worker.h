/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker - the process that serves: table, libmilter, and a thread that takes the master's orders.
 *
 * It stops when its master is gone; no signal but KILL stops it.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "settings/settings.h"

struct worker_options {
	const struct settings *settings; /* as at the start of the master */
	int settings_fd; /* of the last reload, see settings_reader_result(); -1: none yet */
	int copy_fd;     /* the table_copy of the last table that was in use; -1: none */
	bool is_another; /* one has served before: so begin in any case, see reload.h */
	int listen_fd;
	int orders_fd; /* the master's end is the other one; see orders.h */
	size_t max_sessions;
};

/* Serve until told to stop; then the process has ended. Comes back only with the exit status of a
 * failure, for _exit(): threads may run. In a process of its own, with the final user's rights. */
int worker_run(const struct worker_options *options);

#endif
