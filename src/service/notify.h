/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify - tell a service manager how we are: the datagrams of sd_notify(3).
 *
 * Without NOTIFY_SOCKET in the environment nothing is sent. Nothing here can fail in a way that
 * would matter: a service manager that doesn't listen has a time limit of its own.
 */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

/* All is well just now; for WatchdogSec= of systemd.service(5). */
void notify_alive(void);

#endif
