/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate - the listening socket, as libmilter sees it: whom it lets in, and until when.
 *
 * libmilter takes every connection there is, and where no descriptor is left it spins. A connection
 * costs one before it has said a word, so the limit is here: the last few descriptors are kept for
 * what the worker itself has to open, and a connection that would get one of them is closed at
 * once; its MTA defers. Linux gives the lowest number that is free, which tells how many are taken.
 *
 * Two workers may have the same socket for a while, and each must neither take sessions before it
 * can serve them nor after it was told to leave them to the other one. So what stands behind
 * libmilter's descriptor can be exchanged at any time, also while libmilter waits on it. The socket
 * has to be one that doesn't block: of two who are woken up one gets nothing.
 *
 * Called by hooks (libmilter_hooks.def) and by the thread that ends the worker.
 */
#ifndef MILTER_GATE_H
#define MILTER_GATE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"

enum {
	GATE_RESERVED = 16,  /* descriptors: table, settings, copies, log */
	GATE_PAUSE_MS = 100, /* where the system has none: between two tries */
};

/* libmilter listens on FD, whatever that stands for. Status 71. */
bool gate_open(int fd, struct error *err);

/* From now on libmilter's descriptor stands for what FD is; FD stays open. */
bool gate_exchange(int fd, struct error *err);

/* How many sessions are open. After gate_exchange() it can only fall. Of any thread. */
size_t gate_sessions(void);

/* As accept(2). */
int gate_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size);

/* From now on nobody gets in, and whoever knocks on the socket is refused; for all processes that
 * have it. The wait for connections doesn't end by it. */
void gate_shut(void);

/* Does libmilter wait for a session? */
bool gate_is(const struct pollfd *descriptors, nfds_t count);

/* Then this is its poll(2); POLL_KERNEL is the system's. Says that nobody has come where the socket
 * was exchanged meanwhile, and where it was shut: that would make libmilter give up, and messages
 * are still being finished. */
int gate_poll(int (*poll_kernel)(struct pollfd *, nfds_t, int), struct pollfd *descriptor,
	      int timeout_ms);

#endif
