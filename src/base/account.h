/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account - who a user is: looked up in the system's data base of users and groups.
 *
 * That may be a file, or a directory server that doesn't answer: "there is no such user" and "I
 * can't tell" are two results, and nobody may take one for the other. A look-up may wait for that
 * server; never do one while a message waits. Thread-safe.
 */
#ifndef BASE_ACCOUNT_H
#define BASE_ACCOUNT_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct account {
	uid_t user;
	gid_t group; /* the primary one */
};

enum account_lookup {
	ACCOUNT_FOUND,
	ACCOUNT_ABSENT,    /* the system says so; ERR has status 78 */
	ACCOUNT_CANT_TELL, /* the system's trouble; ERR has status 71 */
};

/* The user called NAME. */
enum account_lookup account_find_user(const char *name, struct account *out_account,
				      struct error *err);

/*
 * The groups of the user NAME: first GROUP, which is the primary one, then each group that lists
 * NAME as a member. The caller frees OUT_GROUPS with free(). False (status 71): the system can't
 * tell.
 */
bool account_groups(const char *name, gid_t group, gid_t **out_groups, size_t *out_count,
		    struct error *err);

#endif
