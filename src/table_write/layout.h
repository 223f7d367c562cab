/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout - one line of the directory after the other, out of raw entries sorted by cluster.
 */
#ifndef TABLE_WRITE_LAYOUT_H
#define TABLE_WRITE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "table_write/output.h"
#include "table_write/writer.h"

struct layout {
	struct output *output;
	uint64_t data_begin; /* position of DATA in the file */
	uint64_t lines;
	uint64_t line; /* the next one to be laid out */
	unsigned char *directory;
	bool has_provenance;
	struct buffer ordinals; /* u32 a line */
	struct buffer places;   /* u32 an entry */
	struct buffer data;     /* of the line at hand */
	struct buffer lists;    /* of the line at hand: u32 offset in data of the ref,
				 * raw pointer */
	uint64_t entries;
	uint64_t targets;
	void (*on_duplicate)(void *context, const unsigned char *kept,
			     const unsigned char *dropped);
	/* Told of every entry that isn't laid out, duplicates that yield included. */
	void (*on_dropped)(void *context, const unsigned char *dropped);
	void *context;
	bool wants_seed;
};

/* Room for LINES lines. False: no memory. */
bool layout_init(struct layout *layout, struct output *output, uint64_t lines, bool has_provenance);
void layout_free(struct layout *layout);

/*
 * Lay out the next line. Its entries begin at raws[FIRST]; each cluster's are in the order they
 * were added, and end before raws[ENDS[number of the cluster]]. False: ERR, or layout->wants_seed.
 */
bool layout_line(struct layout *layout, const unsigned char **raws, size_t first,
		 const uint32_t *ends, struct error *err);

/* Write one list where the output stands; its ref in *out_ref. PLACE: see LIST_KIND_PLACED. */
bool layout_list(struct layout *layout, enum table_entry_kind kind, struct bytes contents,
		 const uint32_t *place, uint32_t *out_ref, struct error *err);

uint64_t layout_cluster(const struct layout *layout, uint64_t hash);

#endif
