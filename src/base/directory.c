/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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
