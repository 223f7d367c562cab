/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals - what a watcher is told by signals: TERM and INT to stop, HUP to compile.
 *
 * They are of the process, so there is one of it.
 */
#ifndef FOLLOW_SIGNALS_H
#define FOLLOW_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Handle them, and CHLD, which only has to wake. They are blocked but while waiting with
 * *OUT_WHILE_WAITING, so that none is missed between a question here and the wait. */
void signals_handle(sigset_t *out_while_waiting);

/* Of a process that was forked: none is handled, and none is blocked. */
void signals_reset(void);

bool signals_want_stop(void);

/* Once for each time, or for several. */
bool signals_take_compile(void);

#endif
