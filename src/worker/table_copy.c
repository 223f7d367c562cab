/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/table_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"

static const char name[] = "copy of the table";

static int copy_bytes(struct bytes bytes, struct error *err)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	int fd = memfd_create("table", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && file_write_all(fd, bytes) && fcntl(fd, F_ADD_SEALS, seals) == 0)
		return fd;
	error_fill_errno(err, EX_OSERR, "%s", name);
	if (fd >= 0)
		(void)close(fd); /* nobody wants it */
	return -1;
}

int table_copy_make(const struct table *table, struct error *err)
{
	int mapped_fd = table_descriptor(table);
	int fd;

	if (mapped_fd < 0)
		return copy_bytes(table_bytes(table), err);
	fd = fcntl(mapped_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		error_fill_errno(err, EX_OSERR, "%s", name);
	return fd;
}

bool table_copy_is_of(int fd, const struct table *table)
{
	struct table_facts facts;
	struct error ignored;

	return fd >= 0 && table_peek_descriptor(name, fd, &facts, &ignored) &&
	       facts.checksum == table_facts(table)->checksum;
}
