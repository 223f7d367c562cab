/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * given - sockets that whoever started us has opened: systemd, by a unit of type socket.
 *
 * LISTEN_FDS is how many there are, from descriptor 3 on, LISTEN_FDNAMES their names, with colons
 * between; and LISTEN_PID is whom they are for. Whoever wants one names it as an endpoint, `fd:N`
 * or `fd:NAME`. The sockets stay open for the life of the process. Not for several threads.
 */
#ifndef SERVICE_GIVEN_H
#define SERVICE_GIVEN_H

#include <stdbool.h>

#include "base/endpoint.h"
#include "base/error.h"

enum { GIVEN_MOST = 64 }; /* more are not looked at */

/* Take note of what there is; before anything else is opened. From now on they are closed on exec,
 * and the environment doesn't have them any more. */
void given_init(void);

/* The socket that ENDPOINT (of kind ENDPOINT_FD) names, and where it is. It listens, and doesn't
 * block any more. Status 78: there is none of that name, or several, or it is no stream socket that
 * listens, or it has no address that could be told to an MTA. */
bool given_find(const struct endpoint *endpoint, int *out_fd, struct endpoint_address *out_address,
		struct error *err);

#endif
