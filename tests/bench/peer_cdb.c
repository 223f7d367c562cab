/* SPDX-License-Identifier: BSD-2-Clause */
/* tinycdb: the library under Postfix's cdb: tables. */
#include "peer.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void cdb_build(const struct text_table *table, const char *path)
{
	struct cdb_make make;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || cdb_make_start(&make, fd) != 0)
		text_fail(path, strerror(errno));
	for (size_t i = 0; i < table->count; i++) {
		struct text_entry entry = table->entries[i];

		if (cdb_make_add(&make, entry.key.data, (unsigned)entry.key.size, entry.value.data,
				 (unsigned)entry.value.size) != 0)
			text_fail(path, strerror(errno));
	}
	if (cdb_make_finish(&make) != 0 || close(fd) != 0)
		text_fail(path, strerror(errno));
}

static void *cdb_start(const char *path)
{
	struct cdb *handle = malloc(sizeof(*handle));
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (handle == NULL || fd < 0 || cdb_init(handle, fd) != 0)
		text_fail(path, strerror(errno));
	return handle;
}

static void cdb_end(void *handle)
{
	(void)close(cdb_fileno((struct cdb *)handle)); /* only read */
	cdb_free(handle);
	free(handle);
}

static bool cdb_fetch(void *handle, struct bytes key, struct bytes *out_value)
{
	struct cdb *cdb = handle;

	if (cdb_find(cdb, key.data, (unsigned)key.size) <= 0)
		return false;
	*out_value = bytes_make(cdb_getdata(cdb), cdb_datalen(cdb));
	return true;
}

const struct peer peer_cdb = {
	.name = "cdb",
	.suffix = "cdb",
	.build = cdb_build,
	.open = cdb_start,
	.close = cdb_end,
	.fetch = cdb_fetch,
};
