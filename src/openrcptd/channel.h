/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel - what master and worker say to each other: single bytes over a pair of sockets.
 *
 * The end of the stream is a message too: the other one is gone.
 */
#ifndef OPENRCPTD_CHANNEL_H
#define OPENRCPTD_CHANNEL_H

#include <stdbool.h>

enum channel_message {
	/* From the master. */
	ORDER_RELOAD = 'R', /* settings and table, then REPORT_RELOADED or REPORT_KEPT */
	ORDER_STOP = 'S',   /* let end-of-message calls finish, then exit */
	/* From the worker. */
	REPORT_READY = 'r',    /* sessions are served */
	REPORT_RELOADED = 'n', /* new settings and table are in use */
	REPORT_KEPT = 'k',     /* something is wrong with them: the old ones stay */
	/* From neither. */
	CHANNEL_SILENT = 0, /* nothing to read just now */
	CHANNEL_ENDED = -1,
};

/* Two connected, non-blocking ends, closed on exec. */
bool channel_open(int out_ends[2]);

/* The next message. */
int channel_read(int fd);

/* False where the other one is gone, or hasn't read anything for very long. */
bool channel_write(int fd, enum channel_message message);

#endif
