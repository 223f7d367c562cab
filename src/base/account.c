/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sysexits.h>

enum {
	FIRST_ROOM = 1024,
	LARGEST_ROOM = 1024 * 1024,
	FIRST_GROUPS = 32,
	LARGEST_GROUPS = 65536, /* as many as Linux lets a process have */
};

/* Look NAME up with ROOM bytes for its texts. An errno; ERANGE: there was too little room. */
static int find_with_room(const char *name, size_t room, struct account *out_account,
			  enum account_lookup *out_lookup)
{
	char *memory = malloc(room);
	struct passwd entry;
	struct passwd *found;
	int number;

	if (memory == NULL)
		return ENOMEM;
	do
		number = getpwnam_r(name, &entry, memory, room, &found);
	while (number == EINTR);
	if (number == 0 && found != NULL) {
		*out_account = (struct account){ .user = entry.pw_uid, .group = entry.pw_gid };
		*out_lookup = ACCOUNT_FOUND;
	} else if (number == 0) {
		*out_lookup = ACCOUNT_ABSENT;
	}
	free(memory);
	return number;
}

enum account_lookup account_find_user(const char *name, struct account *out_account,
				      struct error *err)
{
	enum account_lookup lookup = ACCOUNT_CANT_TELL;
	int number = ERANGE;

	for (size_t room = FIRST_ROOM; number == ERANGE && room <= LARGEST_ROOM; room *= 2)
		number = find_with_room(name, room, out_account, &lookup);
	if (number != 0) {
		errno = number;
		error_fill_errno(err, EX_OSERR, "user %s", name);
	} else if (lookup == ACCOUNT_ABSENT) {
		error_fill(err, EX_CONFIG, "user %s: there is no such user", name);
	}
	return lookup;
}

bool account_groups(const char *name, gid_t group, gid_t **out_groups, size_t *out_count,
		    struct error *err)
{
	gid_t *groups = NULL;

	for (int room = FIRST_GROUPS; room <= LARGEST_GROUPS; room *= 2) {
		gid_t *more = reallocarray(groups, (size_t)room, sizeof(*groups));
		int count = room;

		if (more == NULL) {
			free(groups);
			return error_set_memory(err);
		}
		groups = more;
		if (getgrouplist(name, group, groups, &count) >= 0) {
			*out_groups = groups;
			*out_count = (size_t)count;
			return true;
		}
	}
	free(groups);
	return error_set(err, EX_OSERR, "user %s: is in more than %d groups", name, LARGEST_GROUPS);
}
