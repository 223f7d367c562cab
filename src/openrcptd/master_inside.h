/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * master_inside - what the files of the master share: what it knows, and what it does.
 *
 * master.c waits, and makes events of what it hears; worker_state.c says which state and which
 * action follow; master_actions.c acts. An action never looks at the state: what has to be done
 * differently in two states is two actions.
 */
#ifndef OPENRCPTD_MASTER_INSIDE_H
#define OPENRCPTD_MASTER_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message/recent.h"
#include "service/control.h"
#include "openrcptd/health.h"
#include "openrcptd/metrics_process.h"
#include "worker/settings_reader.h"
#include "openrcptd/reexec.h"
#include "openrcptd/retired.h"
#include "openrcptd/start_pace.h"
#include "openrcptd/worker_process.h"
#include "openrcptd/worker_state.h"
#include "sandbox/sandbox.h"
#include "service/listen.h"
#include "settings/settings.h"

enum { MASTER_START_MS = 10000 /* for a worker to begin, at first */ };

struct master {
	struct settings *settings;        /* as at the start */
	struct settings *former_settings; /* while it takes over: of the program before; or NULL */
	struct settings_reader reader;
	int settings_fd; /* what the last reload has brought; -1: none yet */
	int table_fd;    /* the table that serves, see table_copy.h; -1: none yet */
	struct listener listener;
	struct listener former_listener; /* while it takes over, where the settings name another */
	unsigned socket_number; /* of that socket: another one for each that it was opened anew */
	struct control control;
	struct metrics_process metrics;
	struct health health;
	struct sandbox_state sandbox; /* the master's own */
	struct worker_process worker;
	struct worker_process next; /* it begins beside that one, and is to follow it */
	struct retired_workers retired;
	struct reexec reexec;
	struct start_pace pace;
	struct recent recent;
	enum worker_state state;
	long long due_ms;         /* EVENT_DUE; set by the action that began the state */
	long long began_ms;       /* the service */
	long long next_reload_ms; /* not before */
	long long next_renew_ms;  /* not before */
	long long alive_due_ms;   /* the next sign of life */
	long long start_limit_ms; /* for the worker to begin; doubled by one that didn't */
	bool takes_over;          /* from the program before; its worker is to be followed */
	bool wants_reload;        /* and begins one as soon as it can */
	bool has_served;          /* some worker has */
	uint64_t failures;        /* loads that had failed when the last reload began */
	int wait_status;          /* of the last worker, as waitpid() has it */
	int exit_status;
};

/* Do it. The event that it makes happen at once; or EVENT_NONE. */
enum worker_event master_act(struct master *master, enum worker_action action);

/* Whom a list of descriptors is for. */
enum master_child { MASTER_WORKER, MASTER_READER, MASTER_METRICS };

/* What a new child must close, since it has to end with the master or the worker that it belongs
 * to; -1: nothing. */
enum { MASTER_DESCRIPTORS = CONTROL_DESCRIPTORS + RETIRED_ROOM + 12 };
void master_list(const struct master *master, enum master_child child,
		 int out_descriptors[MASTER_DESCRIPTORS]);

/* Does the worker take connections of another socket than the one that is known by now? */
bool master_worker_is_stale(const struct master *master);

/* The program has been replaced, or that has failed for REASON, which is logged here. */
void master_end_reexec(struct master *master, const char *reason);

/* Keep TAKE_DESCRIPTOR, the table that serves from now on. */
void master_keep_table(struct master *master, int take_descriptor);

/* Somebody removed the socket file: open it anew. A worker keeps the socket that it began with.
 * False: logged; the old one stays, so that there is always one that a worker can begin with, and
 * the next look tries again. */
bool master_renew_socket(struct master *master);

#endif
