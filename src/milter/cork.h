/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cork - many small writes of libmilter as few large ones.
 *
 * libmilter writes each edit of an envelope by itself, and each write wakes the MTA. Between
 * cork_begin() and cork_end() what the calling thread writes is kept, in its order, and goes out
 * in large pieces, the last of them together with what is written next: libmilter's reply, which it
 * writes on the same thread as soon as the callback returns. The edits of most messages are one
 * write, so that a process that dies in between leaves none of them behind.
 *
 * libmilter writes each packet with one writev(), head and data (seen in 8.15 and 8.17). So
 * one cork_write() is one packet, and what goes out early ends where a packet ends. Wherever the
 * edits break off, the reply stands at the beginning of a packet.
 *
 * The kept bytes are the thread's, not the session's, for no longer than until that reply.
 */
#ifndef MILTER_CORK_H
#define MILTER_CORK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
	CORK_BYTES = 8192,       /* kept at most */
	CORK_TIMEOUT_MS = 60000, /* an MTA that takes nothing for so long is gone */
};

/* From now on what this thread writes to a socket is kept. */
void cork_begin(void);

/* What is kept goes out with the next write. */
void cork_end(void);

/* Between the two: call ON_END with CONTEXT behind that write, on this thread. IS_SENT: all of it
 * was handed to the socket, which says no more than that the MTA had not hung up. Never called for
 * what is dropped. libmilter always writes a reply to the end of a message. */
void cork_watch(void (*on_end)(bool is_sent, void *context), void *context);

/* What is kept never goes out; what went out already, whole packets, can't be called back. Where a
 * write has failed the connection is shut down, so that nothing can follow half a packet. */
void cork_drop(void);

/* Is a write of this thread one for cork_write()? */
bool cork_is_open(void);

/* As writev(2) on a socket, of one whole packet. May say that all was written where it is only
 * kept, and fail for what was kept before. */
ssize_t cork_write(int fd, const struct iovec *pieces, int count);

#endif
