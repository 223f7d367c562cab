/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * orders - what master and worker say to each other: single bytes over a pair of sockets, and the
 * descriptor that goes with one of them.
 *
 * The end of the stream is a message too: the other one is gone.
 */
#ifndef WORKER_ORDERS_H
#define WORKER_ORDERS_H

#include <stdbool.h>

enum order {
	/* From the master. */
	ORDER_RELOAD = 'R',       /* settings and table, then REPORT_RELOADED, REPORT_KEPT or
				   * REPORT_ANOTHER; comes with the result of a settings_reader */
	ORDER_STOP = 'S',         /* let open messages finish, for 10 s, then exit */
	ORDER_RETIRE = 'L',       /* take no more connections, which another worker takes from the
				   * same socket; serve the sessions that are open, then exit */
	ORDER_RETIRE_ALONE = 'A', /* the same, but the socket is no other worker's: whoever waits
				   * there is served, too */
	/* From the worker. */
	REPORT_READY = 'r',    /* sessions are served */
	REPORT_TABLE = 't',    /* another table is in use; comes with its table_copy */
	REPORT_RELOADED = 'n', /* new settings and table are in use; may come with a table_copy */
	REPORT_KEPT = 'k',     /* something is wrong with them: the old ones stay */
	REPORT_ANOTHER = 'a',  /* they may be well, but are for a worker that begins with them */
	REPORT_OUTGROWN = 'o', /* the table is where only another worker can read it */
	/* From neither. */
	ORDERS_SILENT = 0, /* nothing to read just now */
	ORDERS_ENDED = -1,
};

/* Two connected, non-blocking ends, closed on exec. */
bool orders_open(int out_ends[2]);

/* The next message. *OUT_DESCRIPTOR came with it and is the caller's; -1: none, or there was no
 * room for another one in this process. NULL: not wanted. */
int orders_read(int fd, int *out_descriptor);

/* With a copy of DESCRIPTOR, or none where it is -1. False where the other one is gone, or hasn't
 * read anything for very long. */
bool orders_write(int fd, enum order message, int descriptor);

#endif
