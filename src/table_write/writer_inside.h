/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer_inside - what the files of the writer share. Not for other files.
 */
#ifndef TABLE_WRITE_WRITER_INSIDE_H
#define TABLE_WRITE_WRITER_INSIDE_H

#include "base/buffer.h"
#include "table_write/canary_draw.h"
#include "table_write/domain_set.h"
#include "table_write/layout.h"
#include "table_write/spill.h"
#include "table_write/writer.h"

struct catch_all {
	uint32_t domain;
	uint32_t global_line;
	uint32_t size; /* of its contents, in table_writer.catch_all_bytes */
	uint32_t targets;
	size_t offset;
	enum table_entry_kind kind;
	bool yields;
};

struct table_writer {
	struct writer_options options;
	struct domain_set domains;
	struct spill *spill;
	unsigned partition_bits;
	uint64_t added;
	struct buffer catch_alls; /* of struct catch_all */
	struct buffer catch_all_bytes;
	struct buffer sources;
	struct buffer patterns; /* rules as in the section */
	uint32_t pattern_count;
	struct canary_draw canaries;
	struct error error; /* the first one; status 0: none */
	/* while finishing */
	void (*on_duplicate)(void *context, const struct writer_duplicate *);
	void *context;
};

/* Sort all partitions and lay their lines out. */
bool writer_lay_out_entries(struct table_writer *writer, struct layout *layout, struct error *err);

#endif
