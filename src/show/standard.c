/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/standard.h"

#include <fcntl.h>
#include <unistd.h>

void standard_occupy(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (fd > STDIN_FILENO && fd <= STDERR_FILENO) {
			(void)close(fd); /* opened a moment ago, nothing written */
			fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		}
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd); /* likewise */
}
