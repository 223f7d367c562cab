/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reader of tables. An input is a table less the unused part of its header: its first 512
 * bytes, then all that stands behind the header. Length and checksums are put right, so that
 * whatever is wrong gets past them. A seed is made of a small table by
 *
 *   (head -c 512 TABLE; tail -c +4097 TABLE)
 */
#include "../unit/exercise_table.h"
#include "../unit/table_image.h"

enum { HEAD_BYTES = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image;
	struct table *table;

	if (size < HEAD_BYTES)
		return -1;
	image.size = size - HEAD_BYTES + FORMAT_HEADER_BYTES;
	image.bytes = calloc(1, image.size);
	if (image.bytes == NULL)
		abort();
	memcpy(image.bytes, data, HEAD_BYTES);
	memcpy(image.bytes + FORMAT_HEADER_BYTES, data + HEAD_BYTES, size - HEAD_BYTES);
	le64_store(image.bytes + HEADER_FILE_BYTES, image.size);
	image_sum(&image);
	table = table_open_bytes(image_view(&image), NULL);
	if (table != NULL)
		(void)exercise_table(table); /* sound or not: what matters is that it comes back */
	table_close(table);
	image_free(&image);
	return table != NULL ? 0 : -1;
}
