/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

int directory_open(const char *path, int flags, const char **out_name)
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

bool directory_check(const char *path, int directory_fd, struct error *err)
{
	struct stat status;

	if (fstat(directory_fd, &status) != 0)
		return error_set_errno(err, EX_OSERR, "%s: its directory", path);
	/* In a sticky directory of root's, such as /tmp, nobody can replace another's file. */
	if ((status.st_mode & S_IWOTH) != 0 &&
	    ((status.st_mode & S_ISVTX) == 0 || status.st_uid != 0))
		return error_set(err, EX_NOPERM, "%s: others may write its directory (mode %04o)",
				 path, (unsigned)(status.st_mode & 07777));
	return true;
}
