/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * master_control - what the master answers on its control socket.
 *
 *   status    NAME<tab>VALUE: the service and its table, times in seconds since 1970;
 *             the table comes along as for `table`
 *   stats     each counter
 *   reload    the same as SIGHUP; the answer comes when it is over
 *   reexec    become the program that is installed now; likewise
 *   table     the table that serves comes along as a descriptor
 *
 * Each answer ends with `end<tab>STATUS`, an exit status, before which `reason<tab>TEXT` says what
 * is wrong. From counters and the master's own state alone: a worker that hangs keeps nobody.
 */
#ifndef OPENRCPTD_MASTER_CONTROL_H
#define OPENRCPTD_MASTER_CONTROL_H

#include <stdbool.h>

#include "openrcptd/master_inside.h"

/* Listen, or log why nobody is heard: mail goes on without. */
void master_control_open(struct master *master);

/* Answer who has asked. */
void master_control_serve(struct master *master);

/* What REQUEST asks for begins: whoever asked by now gets its outcome. */
void master_control_begins(struct master *master, const char *request);

/* A reload is over, one way or the other. */
void master_control_ends(struct master *master, bool is_done);

/* Does CLIENT wait for the outcome of REQUEST? */
bool master_control_waits_for(const struct control_client *client, const char *request);

/* Whoever waits for the outcome of REQUEST, and was there when it began, gets it. REASON: why it
 * failed; NULL: it is done. */
void master_control_answer_waiting(struct master *master, const char *request, const char *reason);

/* It is put off: the outcome of the next one counts. */
void master_control_put_off(struct master *master);

#endif
