/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * landlock - which files a process may reach, by Landlock, as far as this kernel has it.
 *
 *   landlock_begin()     everything is refused that the kernel can refuse
 *   landlock_allow…()    but this
 *   landlock_enforce()   from now on, for this thread and all that it starts, for good
 *
 * By the calls themselves: the headers of an older system don't know what its kernel can do. A rule
 * is for the folder that is there now; one that takes its place later has none. What is open stays
 * open. stat(2), chdir(2), O_PATH, chmod(2) and connecting to a socket file aren't restricted.
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum landlock_use {
	LANDLOCK_READ = 1,     /* files */
	LANDLOCK_LIST = 2,     /* folders */
	LANDLOCK_WRITE = 4,    /* files, also new ones, and remove them */
	LANDLOCK_SOCKETS = 8,  /* make socket files, and remove any file */
	LANDLOCK_EXECUTE = 16, /* programs */
};

struct landlock {
	int abi;
	int fd;
	uint64_t handled; /* of files: what is refused unless a rule allows it */
};

/* The version of Landlock in this kernel; 0: it has none, or we may not use it. */
int landlock_abi(void);

/* The caller ends it with landlock_close(). There must be a landlock_abi(). HAS_ABSTRACT: sockets
 * of others without a file may be reached, too. */
bool landlock_begin(struct landlock *landlock, bool has_abstract, struct error *err);

/* Allow USES, an OR of enum landlock_use, in PATH, a folder or a file. One that isn't there is
 * passed over. */
bool landlock_allow(const struct landlock *landlock, const char *path, unsigned uses,
		    struct error *err);

/* Allow to connect to the TCP PORT, to open it, and to open one that the kernel chooses. */
bool landlock_allow_port(const struct landlock *landlock, uint16_t port, struct error *err);

/* no-new-privileges must be set. */
bool landlock_enforce(const struct landlock *landlock, struct error *err);

void landlock_close(struct landlock *landlock);

#endif
