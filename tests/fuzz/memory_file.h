/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_file - for fuzz targets: an input as a file with a path, without a disk.
 */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEMORY_FILE_PATH_BYTES = 64 };

/* The descriptor to close at the end; OUT_PATH has MEMORY_FILE_PATH_BYTES. */
static int memory_file_open(const uint8_t *data, size_t size, char *out_path)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || fchmod(fd, 0600) != 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(out_path, MEMORY_FILE_PATH_BYTES, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
