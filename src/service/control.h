/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control - the socket on which `rcptctl` asks: one request a connection, a line of at most 255
 * bytes, within a second.
 *
 * Only root and our own user are heard, by what the kernel says of the other end. Nothing here
 * waits: the master polls, and takes whole requests. An answer is lines `NAME<tab>VALUE`, the last
 * of which is `end<tab>EXIT-STATUS`; a descriptor may come with it. Of more than a few clients at a
 * time the others wait in the queue of the socket, and who connects and says nothing soon gives way
 * to them: so no number of these keeps anybody from asking.
 */
#ifndef SERVICE_CONTROL_H
#define SERVICE_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"
#include "service/listen.h"

enum {
	CONTROL_CLIENTS = 8,
	CONTROL_REQUEST_BYTES = 256,
	CONTROL_REQUEST_MS = 1000,
	CONTROL_SILENT_MS = 100, /* so long at least, though others wait */
	CONTROL_FULL_MS =
		50, /* where all wait for an outcome, or came just now: between two tries */
	CONTROL_PAUSE_MS = 200,                    /* where no connection can be taken: likewise */
	CONTROL_CHECK_MS = 1000,                   /* between two looks at the socket file */
	CONTROL_DESCRIPTORS = CONTROL_CLIENTS + 1, /* that are polled */
};

struct control_client {
	int fd;           /* -1: none */
	long long due_ms; /* for its request */
	size_t size;
	char request[CONTROL_REQUEST_BYTES]; /* without its newline, as a C string, once it is whole
					      */
	bool is_waiting;                     /* its request was taken; the answer comes later */
	bool has_begun;                      /* what it waits for */
};

struct control {
	struct listener listener;
	long long check_ms;  /* the next look at its file */
	bool has_told;       /* that it is gone and can't be made */
	long long resume_ms; /* nobody new is heard until then; 0: all are */
	struct control_client clients[CONTROL_CLIENTS];
};

void control_init(struct control *control);

/* Listen at PATH, for its owner alone. FORMER as in struct listener. False: nobody is heard. */
bool control_open(struct control *control, const char *path, pid_t former, struct error *err);

/* End it, and remove the socket file. */
void control_close(struct control *control);

/* What to poll: fills all of OUT; a descriptor of -1 is skipped. */
void control_poll(const struct control *control, struct pollfd out[CONTROL_DESCRIPTORS]);

/* When a client's time or a pause is up, or LLONG_MAX. */
long long control_due_ms(const struct control *control);

/* Take what has come; a socket file that was deleted is made anew. The next client with a whole
 * request, or NULL: none. It has to be answered, or to be told to wait. */
struct control_client *control_next(struct control *control, long long now_ms);

/* Send ANSWER, with a copy of DESCRIPTOR, or none where it is -1, and hang up. */
void control_answer(struct control_client *client, struct bytes answer, int descriptor);

#endif
