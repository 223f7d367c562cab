/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen - the socket on which the MTA reaches us, and the lock that makes us its only owner.
 *
 * Lock first, then bind: so a socket file that nobody answers on is stale and may be removed, and
 * one that somebody answers on never is. The lock is held for the life of the process; the file
 * stays behind. Only the master uses this.
 */
#ifndef SERVICE_LISTEN_H
#define SERVICE_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/error.h"

struct listen_address {
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_storage room;
	} socket;
	socklen_t size;
};

struct listener {
	int fd;
	int lock_fd;
	struct listen_address address;
	/* The socket file that is ours, to be removed at the end. */
	dev_t device;
	ino_t inode;
};

#define LISTENER_NONE ((struct listener){ .fd = -1, .lock_fd = -1 })

/* Read `unix:PATH`, `inet:PORT@HOST`, `inet6:PORT@HOST`. Status 78 where it is none of them, or is
 * not loopback and ALLOWS_REMOTE is false. */
bool listen_parse(const char *text, bool allows_remote, struct listen_address *out_address,
		  struct error *err);

/* Take the lock of the socket called TEXT in DIRECTORY; status 75 where another daemon has it. */
bool listener_lock(struct listener *listener, const char *directory, const char *text,
		   struct error *err);

/* Bind and listen. The socket of a file is for its owner and group. Status 75 where somebody else
 * answers there, 73 where it can't be created. */
bool listener_open(struct listener *listener, const struct listen_address *address,
		   struct error *err);

/* Is the socket file still there, and ours? */
bool listener_is_intact(const struct listener *listener);

/* Close, and remove the socket file if it is still ours. The lock ends with the process. */
void listener_close(struct listener *listener);

#endif
