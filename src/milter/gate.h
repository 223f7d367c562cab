/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate - the listening socket, as libmilter sees it: whom it lets in, and until when.
 *
 * libmilter takes every connection there is, and where no descriptor is left it spins. A connection
 * costs one before it has said a word, so the limit is here: the last few descriptors are kept for
 * what the worker itself has to open, and a connection that would get one of them is closed at
 * once; its MTA defers. Linux gives the lowest number that is free, which tells how many are taken.
 *
 * Called by hooks (libmilter_hooks.def) and by the thread that ends the worker.
 */
#ifndef MILTER_GATE_H
#define MILTER_GATE_H

#include <poll.h>
#include <sys/socket.h>

enum {
	GATE_RESERVED = 16,  /* descriptors: table, settings, copies, log */
	GATE_PAUSE_MS = 100, /* where the system has none: between two tries */
};

/* libmilter listens on FD. */
void gate_open(int fd);

/* As accept(2). */
int gate_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size);

/* From now on nobody gets in, and whoever knocks on the socket is refused; for all processes that
 * have it. The wait for connections doesn't end by it. */
void gate_shut(void);

/* What poll(2) said, as libmilter may hear it: COUNT is its result, and so is the value. A socket
 * that was shut down would make libmilter give up, and messages are still being finished. */
int gate_polled(struct pollfd *descriptors, int count);

#endif
