/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_process - the worker as its master sees it: a process, and a way to tell it something.
 *
 * Who reaps the children of the master is the caller: worker_process_forget() comes after that.
 */
#ifndef OPENRCPTD_WORKER_PROCESS_H
#define OPENRCPTD_WORKER_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "worker/orders.h"
#include "worker/worker.h"

struct worker_process {
	pid_t pid;              /* 0: none */
	int orders_fd;          /* to it; -1: it can't be told anything */
	int table_fd;           /* what it has said that it serves, until the master takes it */
	unsigned number;        /* see counters_be_worker() */
	unsigned socket_number; /* of the socket that it began with */
	bool brings_settings;   /* that no worker before it had */
	long long started_ms;
};

#define WORKER_PROCESS_NONE ((struct worker_process){ .orders_fd = -1, .table_fd = -1 })

/*
 * Start one; there must be none. OPTIONS less their orders_fd, which is made here. The new process
 * closes MASTERS first, COUNT descriptors that must end with the master; -1 is skipped. False: no
 * process (status 71).
 */
bool worker_process_start(struct worker_process *process, const struct worker_options *options,
			  const int *masters, size_t count, struct error *err);

/* With a copy of DESCRIPTOR, or none where it is -1. False: it is ending, or reads nothing, or
 * there is none. */
bool worker_process_tell(const struct worker_process *process, enum order order, int descriptor);

/* SIGKILL, if there is one. */
void worker_process_kill(const struct worker_process *process);

/* It can't be told anything any more. */
void worker_process_hang_up(struct worker_process *process);

/* It has ended. */
void worker_process_forget(struct worker_process *process);

#endif
