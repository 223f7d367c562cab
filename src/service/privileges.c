/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/privileges.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/account.h"

bool privileges_choose(const char *name, struct identity *out_identity, struct error *err)
{
	struct account account;

	if (account_find_user(name, &account, err) != ACCOUNT_FOUND)
		return false;
	if (account.user == 0)
		return error_set(err, EX_CONFIG, "user %s: the daemon never runs as root", name);
	if (geteuid() != 0 && geteuid() != account.user)
		return error_set(err, EX_NOPERM, "start me as root or as user %s (I am %ld)", name,
				 (long)geteuid());
	/* Another real user could take this process over. */
	if (geteuid() != 0 && getuid() != account.user)
		return error_set(err, EX_NOPERM, "user %s: never install me set-user-ID", name);
	*out_identity = (struct identity){ .user = account.user, .group = account.group };
	(void)snprintf(out_identity->name, sizeof(out_identity->name), "%s", name); /* for logs */
	return true;
}

/* Can we still become somebody else, root or whoever started us? */
static bool is_bound_to(const struct identity *identity)
{
	uid_t real;
	uid_t effective;
	uid_t saved;

	if (getresuid(&real, &effective, &saved) != 0 || real != identity->user ||
	    effective != identity->user || saved != identity->user)
		return false;
	return setuid(0) != 0 && seteuid(0) != 0 && geteuid() == identity->user;
}

bool privileges_drop(const struct identity *identity, struct error *err)
{
	if (geteuid() == 0) {
		if (initgroups(identity->name, identity->group) != 0)
			return error_set_errno(err, EX_OSERR, "groups of user %s", identity->name);
		if (setresgid(identity->group, identity->group, identity->group) != 0)
			return error_set_errno(err, EX_OSERR, "group of user %s", identity->name);
		if (setresuid(identity->user, identity->user, identity->user) != 0)
			return error_set_errno(err, EX_OSERR, "become user %s", identity->name);
	}
	if (!is_bound_to(identity))
		return error_set(err, EX_NOPERM, "user %s: I could become root again",
				 identity->name);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return error_set_errno(err, EX_OSERR, "no new privileges");
	/* Addresses are personal data: they stay out of core dumps. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return error_set_errno(err, EX_OSERR, "no core dumps");
	return true;
}

bool privileges_make_directory(const char *directory, const struct identity *identity,
			       struct error *err)
{
	if (mkdir(directory, 0755) != 0) {
		if (errno == EEXIST)
			return true;
		return error_set_errno(err, EX_CANTCREAT, "%s", directory);
	}
	/* New, empty and in a directory that only root may write: nobody swapped it. */
	if (geteuid() == 0 && lchown(directory, identity->user, identity->group) != 0)
		return error_set_errno(err, EX_CANTCREAT, "%s: owner", directory);
	return true;
}

/* Root may raise even the highest number there can be; but not in every container. */
static bool raise_highest(size_t wanted)
{
	const struct rlimit limit = { .rlim_cur = wanted, .rlim_max = wanted };

	return geteuid() == 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

size_t privileges_raise_descriptors(size_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 256;
	if (limit.rlim_cur >= wanted)
		return (size_t)limit.rlim_cur;
	if (limit.rlim_max < wanted && raise_highest(wanted))
		return wanted;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 256;
	return (size_t)limit.rlim_cur;
}
