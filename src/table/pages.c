/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages - let go of pages of a mapped table that have been read, so that they don't pile up.
 */
#include "table/inside.h"

#include <sys/mman.h>

/* Pages may be as large, and cutting one up costs more than it gives back. */
enum { FORGOTTEN_BYTES = 2 << 20 };

void table_forget_bytes(const struct table *table, struct bytes part)
{
	uintptr_t start = (uintptr_t)table->file.data; /* of a page */
	uintptr_t begin = (uintptr_t)part.data / FORGOTTEN_BYTES * FORGOTTEN_BYTES;
	uintptr_t end = ((uintptr_t)part.data + part.size) / FORGOTTEN_BYTES * FORGOTTEN_BYTES;

	if (begin < start)
		begin = start;
	/* A mapping of a file that nobody writes: what is dropped is read again as it was. */
	if (table->is_mapped && begin < end)
		(void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* else it stays */
}

void table_forget_pages(const struct table *table)
{
	table_forget_bytes(table, table->data);
}
