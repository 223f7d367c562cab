/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges - who the daemon runs as: root only to bind and to give itself up for good.
 */
#ifndef SERVICE_PRIVILEGES_H
#define SERVICE_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct identity {
	uid_t user;
	gid_t group;
	char name[256];
};

/*
 * Who NAME is, and whether we may run as that user: as root we may become anybody but root, else
 * we must be that user already (status 77). Status 78: root, or no such user.
 */
bool privileges_choose(const char *name, struct identity *out_identity, struct error *err);

/* Become IDENTITY for good, and prove that it is for good. Does nothing but the proof where we are
 * that user already. Afterwards no program that is executed gains anything, and no core is dumped.
 */
bool privileges_drop(const struct identity *identity, struct error *err);

/* Create DIRECTORY for IDENTITY if there is none; its parent must exist. */
bool privileges_make_directory(const char *directory, const struct identity *identity,
			       struct error *err);

/* Allow WANTED open descriptors, or as many as the system grants; the result is how many. */
size_t privileges_raise_descriptors(size_t wanted);

#endif
