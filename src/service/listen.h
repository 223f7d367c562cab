/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen - the socket on which the MTA reaches us, and the lock that makes us its only owner.
 *
 * Lock first, then bind: so a socket file that nobody answers on is stale and may be removed. One
 * that somebody answers on never is, but for what was the last holder's of the lock: who has died,
 * while a process that it left behind still finishes a message. The lock is held for the life of
 * the process; its file stays behind, with the holder's number in it. Only the master uses this.
 */
#ifndef SERVICE_LISTEN_H
#define SERVICE_LISTEN_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/endpoint.h"
#include "base/error.h"

struct listener {
	int fd;
	int lock_fd;
	bool is_given; /* whoever started us has opened it, and keeps it; its file isn't ours */
	pid_t former;  /* the last holder of the lock; 0: not known */
	struct endpoint_address address;
	/* The socket file that is ours, to be removed at the end. */
	dev_t device;
	ino_t inode;
};

#define LISTENER_NONE ((struct listener){ .fd = -1, .lock_fd = -1 })

/* Read TEXT and look its host up, or find the socket that was given (see given.h), whose descriptor
 * is *OUT_GIVEN_FD then; else that is -1. Status 78 where it is no endpoint, or one that is not
 * loopback and ALLOWS_REMOTE is false, or no such socket was given. ERR begins with SETTING. */
bool listen_parse(const char *setting, const char *text, bool allows_remote,
		  struct endpoint_address *out_address, int *out_given_fd, struct error *err);

/* The socket that was given, with what listen_parse() has said. Nothing is removed at its end, and
 * it always counts as intact: who has made it has to look after it. */
bool listener_take(struct listener *listener, const struct endpoint_address *address, int given_fd,
		   struct error *err);

/* Take the lock of the socket called TEXT in DIRECTORY; status 75 where another daemon has it. */
bool listener_lock(struct listener *listener, const char *directory, const char *text,
		   struct error *err);

/* Bind and listen. The socket of a file is for its owner and group. Status 75 where somebody else
 * answers there, 73 where it can't be created. */
bool listener_open(struct listener *listener, const struct endpoint_address *address,
		   struct error *err);

/* Is the socket file still there, and ours? Also true where nobody lets us look. */
bool listener_is_intact(const struct listener *listener);

/* The socket file is gone, or another one's: listen where it was, by another descriptor. False:
 * LISTENER stays as it is, and whoever is connected by it too. */
bool listener_renew(struct listener *listener, struct error *err);

/* Close, and remove the socket file if it is still ours. The lock ends with the process. */
void listener_close(struct listener *listener);

#endif
