/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * master - the process that owns lock, socket and signals, and starts and replaces the worker.
 *
 * Signals: HUP and USR1 reload, TERM and INT stop, USR2 makes it become the program that is
 * installed now. A worker that dies is replaced at once, while new connections wait in the socket's
 * queue.
 */
#ifndef OPENRCPTD_MASTER_H
#define OPENRCPTD_MASTER_H

#include "settings/settings.h"

struct takeover;

/* Run until told to stop; an exit status. TAKE_SETTINGS come from a file with a full path.
 * TAKEOVER: what the program before has left, see takeover.h; NULL: this is a start. */
int master_run(struct settings *take_settings, struct takeover *takeover);

#endif
