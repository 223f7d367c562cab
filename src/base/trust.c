/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as of the kernel */

/* ---- policies ----------------------------------------------------------------------------- */

const struct trust_policy trust_in_table = {
	.also_owner = TRUST_NOBODY,
	.exit_status = EX_NOPERM,
};

const struct trust_policy trust_in_configuration = {
	.also_owner = TRUST_NOBODY,
	.has_free_names = true,
	.exit_status = EX_NOPERM,
};

const struct trust_policy trust_in_source = {
	.owner = TRUST_ANYBODY,
	.also_owner = TRUST_NOBODY,
	.has_free_names = true,
	.exit_status = EX_NOPERM,
};

const struct trust_policy trust_in_included = {
	.owner = TRUST_ROOT,
	.also_owner = TRUST_NOBODY,
	.has_free_group = true,
	.has_free_names = true,
	.exit_status = EX_NOPERM,
};

const struct trust_policy trust_in_folder = {
	.is_directory = true,
	.owner = TRUST_ANYBODY,
	.also_owner = TRUST_NOBODY,
	.has_free_group = true,
	.may_be_sticky = true,
	.exit_status = EX_NOPERM,
};

const struct trust_policy trust_in_socket_folder = {
	.is_directory = true,
	.also_owner = TRUST_NOBODY,
	.has_free_group = true,
	.exit_status = EX_CONFIG,
};

const struct trust_policy trust_in_module = {
	.also_owner = TRUST_NOBODY,
	.has_free_names = true,
	.exit_status = EX_NOPERM,
};

const struct trust_policy trust_in_module_folder = {
	.is_directory = true,
	.also_owner = TRUST_NOBODY,
	.exit_status = EX_NOPERM,
};

/* ---- the rule ----------------------------------------------------------------------------- */

static bool may_own(uid_t owner, const struct trust_policy *policy)
{
	if (owner == 0 || policy->owner == TRUST_ANYBODY)
		return true;
	if (policy->also_owner != TRUST_NOBODY && owner == policy->also_owner)
		return true;
	return policy->owner == TRUST_ROOT_AND_US && owner == geteuid();
}

static bool is_safe_by_sticky(const struct stat *status, const struct trust_policy *policy)
{
	return policy->may_be_sticky && (status->st_mode & S_ISVTX) != 0 && status->st_uid == 0;
}

enum trust_fault trust_judge(const struct stat *status, const struct trust_policy *policy)
{
	if (!policy->is_directory && !S_ISREG(status->st_mode))
		return TRUST_NOT_REGULAR;
	if (!may_own(status->st_uid, policy))
		return TRUST_FOREIGN_OWNER;
	if ((status->st_mode & S_IWOTH) != 0 && !is_safe_by_sticky(status, policy))
		return TRUST_OTHERS_WRITE;
	if ((status->st_mode & S_IWGRP) != 0 && !policy->has_free_group)
		return TRUST_GROUP_WRITES;
	/* A file without a name is fine: a newer file took the name after this one was opened. */
	if (!policy->is_directory && status->st_nlink > 1 && !policy->has_free_names)
		return TRUST_MANY_NAMES;
	return TRUST_NO_FAULT;
}

/* ---- words -------------------------------------------------------------------------------- */

void trust_describe(enum trust_fault fault, const struct stat *status,
		    const struct trust_policy *policy, char out_text[TRUST_TEXT_BYTES])
{
	const char *subject = policy->is_directory ? "its directory " : "";
	const char *object = policy->is_directory ? "its directory" : "it";
	unsigned mode = (unsigned)(status->st_mode & 07777);
	int size = 0;

	switch (fault) {
	case TRUST_NO_FAULT:
		break;
	case TRUST_NOT_REGULAR:
		size = snprintf(out_text, TRUST_TEXT_BYTES, "is not a regular file");
		break;
	case TRUST_FOREIGN_OWNER:
		size = snprintf(out_text, TRUST_TEXT_BYTES, "%sbelongs to user %lu", subject,
				(unsigned long)status->st_uid);
		break;
	case TRUST_OTHERS_WRITE:
		size = snprintf(out_text, TRUST_TEXT_BYTES, "others may write %s (mode %04o)",
				object, mode);
		break;
	case TRUST_GROUP_WRITES:
		size = snprintf(out_text, TRUST_TEXT_BYTES, "its group may write %s (mode %04o)",
				object, mode);
		break;
	case TRUST_MANY_NAMES:
		size = snprintf(out_text, TRUST_TEXT_BYTES, "has %lu names",
				(unsigned long)status->st_nlink);
		break;
	}
	if (size <= 0)
		out_text[0] = '\0';
}

bool trust_check(const char *path, const struct stat *status, const struct trust_policy *policy,
		 struct error *err)
{
	enum trust_fault fault = trust_judge(status, policy);
	char text[TRUST_TEXT_BYTES];

	if (fault == TRUST_NO_FAULT)
		return true;
	trust_describe(fault, status, policy, text);
	return error_set(err, policy->exit_status, "%s: %s", path, text);
}

/* ---- directories -------------------------------------------------------------------------- */

int trust_open_folder(const char *path, int flags, const char **out_name)
{
	const char *slash = strrchr(path, '/');
	char *directory;
	int number;
	int fd;

	*out_name = slash == NULL ? path : slash + 1;
	if (**out_name == '\0') {
		errno = EISDIR;
		return -1;
	}
	if (slash == NULL)
		directory = strdup(".");
	else if (slash == path)
		directory = strdup("/");
	else
		directory = strndup(path, (size_t)(slash - path));
	if (directory == NULL)
		return -1;
	fd = open(directory, flags | O_DIRECTORY | O_CLOEXEC);
	number = errno;
	free(directory);
	errno = number;
	return fd;
}

bool trust_check_folder(const char *path, int folder_fd, const struct trust_policy *policy,
			struct error *err)
{
	struct stat status;

	if (fstat(folder_fd, &status) != 0)
		return error_set_errno(err, EX_OSERR, "%s: its directory", path);
	return trust_check(path, &status, policy, err);
}

/* Where the link NAME in FOLDER_FD leads, which is the directory of AT; *OUT_NEXT is NULL where it
 * is no link. False: can't tell. */
static bool read_link(const char *at, int folder_fd, const char *name, char **out_next)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(folder_fd, name, target, sizeof(target));
	int folder_size;

	*out_next = NULL;
	if (size < 0) /* no link, or no file: who opens it has more to say */
		return errno == EINVAL || errno == ENOENT;
	if ((size_t)size == sizeof(target)) {
		errno = ENAMETOOLONG;
		return false;
	}
	folder_size = size > 0 && target[0] == '/' ? 0 : (int)(name - at);
	return asprintf(out_next, "%.*s%.*s", folder_size, at, (int)size, target) >= 0;
}

/* *OUT_NEXT as of read_link(). */
static bool check_step(const char *at, const struct trust_policy *policy, char **out_next,
		       struct error *err)
{
	const char *name;
	int fd = trust_open_folder(at, O_PATH, &name);
	bool is_good;

	*out_next = NULL;
	if (fd < 0)
		return error_set_errno(err, EX_OSERR, "%s: its directory", at);
	is_good = trust_check_folder(at, fd, policy, err) &&
		  (read_link(at, fd, name, out_next) ||
		   error_set_errno(err, EX_OSERR, "%s: where it leads", at));
	(void)close(fd); /* nothing was written */
	return is_good;
}

bool trust_check_folders(const char *path, const struct trust_policy *policy, struct error *err)
{
	char *at = NULL;

	for (int links = 0; links <= LINKS_MAX; links++) {
		char *next;
		bool is_good = check_step(at != NULL ? at : path, policy, &next, err);

		free(at);
		at = next;
		if (at == NULL)
			return is_good;
	}
	free(at);
	errno = ELOOP;
	return error_set_errno(err, EX_OSERR, "%s", path);
}

bool trust_check_folder_of(const char *path, struct error *err)
{
	return trust_check_folders(path, &trust_in_folder, err);
}
