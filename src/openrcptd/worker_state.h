/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_state - what the master does about its worker: which state and which action follow an
 * event.
 *
 * Pure: knows no process, no clock and no file; any number of threads. The table below is the one
 * of worker_state.c in words. An event that has no line in a state changes nothing there.
 *
 * Of several processes one is *the* worker, which takes connections; the next one may begin beside
 * it, and those before it may still have sessions. These are retired: the master looks after them
 * apart, and they play a part here only where the service stops.
 *
 *   ABSENT      DUE             STARTING    start a worker
 *               STOP            STOPPING    stop
 *   STARTING    NOT_STARTED     ABSENT      plan the next start
 *               READY           SERVING     serve
 *               DIED            ABSENT      bury
 *               NEVER_SERVED    ENDED       fail
 *               DUE             REPLACING   give up the start
 *               STOP            STOPPING    stop
 *   SERVING     RELOAD          RELOADING   read the settings
 *               SOCKET_RENEWED,
 *               OUTGROWN        RENEWING    start the next one
 *               (A)
 *   RELOADING   SETTINGS_READ   RELOADING   hand them to the worker
 *               SETTINGS_BAD    SERVING     keep what is in force
 *               RELOADED        SERVING     adopt the new settings
 *               KEPT            SERVING     keep what is in force
 *               ANOTHER         RENEWING    start the next one, with them
 *               (A)
 *   (A)         DIED            ABSENT      bury
 *               HUNG            REPLACING   kill
 *               STOP            STOPPING    stop
 *   RENEWING    NEXT_READY      SERVING     hand over: it is the worker, the other one retires
 *               NOT_STARTED,
 *               NEXT_DIED       SERVING     drop the next one
 *               DUE             RENEWING    give up the next one
 *               DIED            STARTING    promote: the next one is the worker
 *               HUNG            RENEWING    kill the worker
 *               STOP            STOPPING    stop
 *   REPLACING   DIED, NEVER_SERVED  ABSENT  bury
 *               DUE             REPLACING   kill
 *               STOP            STOPPING    stop
 *   STOPPING    DIED, NEVER_SERVED,
 *               NEXT_DIED,
 *               RETIRED_DIED    STOPPING    count who is left
 *               GONE            ENDED       nothing
 *               DUE, STOP       STOPPING    kill all
 *   ENDED       nothing happens any more
 */
#ifndef OPENRCPTD_WORKER_STATE_H
#define OPENRCPTD_WORKER_STATE_H

#include <stdbool.h>

enum worker_state {
	WORKER_ABSENT,    /* no process; the next one starts when it is due */
	WORKER_STARTING,  /* it loads the table and opens libmilter */
	WORKER_SERVING,   /* it takes sessions */
	WORKER_RELOADING, /* as before, while settings are read, and then while it loads them */
	WORKER_RENEWING,  /* it takes sessions, while the next one starts */
	WORKER_REPLACING, /* it was killed; another one follows */
	WORKER_STOPPING,  /* all were told to end, or killed, and no other follows */
	WORKER_ENDED,     /* no process, and none follows: the master ends */
	WORKER_STATES
};

enum worker_event {
	EVENT_NONE,
	EVENT_DUE,            /* the time that the last action set is over */
	EVENT_NOT_STARTED,    /* there could be no new process */
	EVENT_READY,          /* the worker says that it serves */
	EVENT_DIED,           /* the worker's process has ended */
	EVENT_NEVER_SERVED,   /* likewise, and no worker has served before */
	EVENT_HUNG,           /* it doesn't answer any more */
	EVENT_SOCKET_RENEWED, /* the master listens on another socket than the worker */
	EVENT_OUTGROWN,       /* the worker may not read where the table is now */
	EVENT_RELOAD,         /* somebody asked for it */
	EVENT_SETTINGS_READ,  /* and they are sound */
	EVENT_SETTINGS_BAD,   /* or could not be read */
	EVENT_RELOADED,       /* the worker says that the new settings are in force */
	EVENT_KEPT,           /* the worker says that they are not */
	EVENT_ANOTHER,        /* the worker says that another one has to begin with them */
	EVENT_NEXT_READY,     /* the next one says that it serves */
	EVENT_NEXT_DIED,      /* the next one's process has ended */
	EVENT_RETIRED_DIED,   /* that of a retired one has */
	EVENT_GONE,           /* there is no process left */
	EVENT_STOP,           /* somebody asked for it */
	WORKER_EVENTS
};

enum worker_action {
	ACTION_NONE,
	ACTION_START,
	ACTION_PLAN,
	ACTION_SERVE,
	ACTION_READ,
	ACTION_HAND_OVER,
	ACTION_ADOPT,
	ACTION_KEEP,
	ACTION_START_NEXT,
	ACTION_TURN_OVER,
	ACTION_DROP_NEXT,
	ACTION_GIVE_UP_NEXT,
	ACTION_PROMOTE,
	ACTION_KILL_WORKER,
	ACTION_KILL,
	ACTION_GIVE_UP,
	ACTION_BURY,
	ACTION_BURY_BEGINNER, /* that has never served */
	ACTION_FAIL,
	ACTION_STOP,
	ACTION_COUNT,
	ACTION_KILL_ALL,
};

struct worker_step {
	enum worker_state state;
	enum worker_action action;
};

struct worker_step worker_step(enum worker_state state, enum worker_event event);

/* Is the worker one that must answer? */
bool worker_state_serves(enum worker_state state);

#endif
