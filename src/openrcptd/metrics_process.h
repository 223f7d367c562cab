/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics_process - the page for Prometheus, in a process of its own: whatever a client or the
 * library does there, master and worker don't notice.
 *
 * The socket is the master's, so that clients wait while the process is started again.
 */
#ifndef OPENRCPTD_METRICS_PROCESS_H
#define OPENRCPTD_METRICS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "service/listen.h"
#include "settings/settings.h"

struct metrics_process {
	struct listener listener; /* fd -1: there is no page */
	pid_t pid;                /* 0: none, and one is due */
	long long due_ms;
	long long check_ms; /* the next look at the socket file */
	bool has_told;      /* that it is gone and can't be made */
};

#define METRICS_PROCESS_NONE ((struct metrics_process){ .listener = LISTENER_NONE })

/* Listen where SETTINGS say; nothing where they don't. False: there will be no page. */
bool metrics_process_open(struct metrics_process *process, const struct settings *settings,
			  pid_t former, struct error *err);
void metrics_process_close(struct metrics_process *process);

/* Start it if it is due, and end it where its socket file was made anew. The new process closes
 * MASTERS, COUNT of them, first; -1 is skipped. */
void metrics_process_work(struct metrics_process *process, const struct settings *settings,
			  const int *masters, size_t count, long long now_ms);

/* When something is due, or LLONG_MAX. */
long long metrics_process_due_ms(const struct metrics_process *process);

/* A child of the master has ended. False: it was another one. */
bool metrics_process_has_ended(struct metrics_process *process, pid_t child, long long now_ms);

#endif
