/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server - the page over HTTP, in a process that does nothing else.
 *
 * The only user of libmicrohttpd. Few connections at a time, each for a few seconds; GET and HEAD
 * of /metrics, and nothing else.
 */
#ifndef METRICS_SERVER_H
#define METRICS_SERVER_H

#include <stdbool.h>

#include "base/error.h"

/* Is it built in? */
bool metrics_server_exists(void);

/* Serve on the listening socket LISTEN_FD, in threads of its own, until the process ends. */
bool metrics_server_start(int listen_fd, struct error *err);

#endif
