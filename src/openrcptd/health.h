/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health - does the worker still answer? The master asks as an MTA would.
 *
 * Every few seconds a connection to our own socket and the first exchange of the milter protocol.
 * libmilter can stop answering without an error: where it gets no thread, a session hangs for
 * ever. And somebody may remove the socket file. Nothing here waits: the caller polls. Who hangs is
 * lost after four intervals at most, or five where the queue of the socket is full. Who answers
 * anybody, or turns somebody away (milter/pulse.h), isn't lost, whatever becomes of our question.
 */
#ifndef OPENRCPTD_HEALTH_H
#define OPENRCPTD_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "service/listen.h"

enum {
	HEALTH_INTERVAL_MS = 1900, /* before a question, and to wait for an answer; who doesn't
				    * answer is asked again at once */
	HEALTH_MISSES = 3,         /* as many in a row mean that it is gone */
};

struct health {
	int fd;           /* the question that is open, to be polled for reading; or -1 */
	long long due_ms; /* the next question; or, with one open, its time limit */
	int misses;       /* in a row */
	uint64_t pulse;   /* at the last question */
	uint64_t before;  /* at the one before it */
	int barred;       /* questions in a row that could not be put */
};

enum health_event {
	HEALTH_QUIET,     /* nothing new */
	HEALTH_WELL,      /* it answered */
	HEALTH_LOST,      /* it missed too many */
	HEALTH_BARRED,    /* we can't ask, see errno: nothing follows, since others may */
	HEALTH_NO_SOCKET, /* the socket file is gone, or isn't ours */
};

/* NOW_MS is of a clock that never goes back. The first question comes an interval later. */
void health_init(struct health *health, long long now_ms);
void health_close(struct health *health);

/* Begin anew, for another worker. */
void health_restart(struct health *health, long long now_ms);

/* Do what is due. IS_READABLE: poll() said so of the descriptor. */
enum health_event health_work(struct health *health, const struct listener *listener,
			      bool is_readable, long long now_ms);

#endif
