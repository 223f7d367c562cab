/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line_map - where a line came from. The lines of all sources of a table are counted on, from one
 * source to the next; the map knows at which of these numbers each source begins.
 */
#ifndef SOURCES_LINE_MAP_H
#define SOURCES_LINE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_map_source {
	const char *path; /* borrowed */
	uint32_t first_line;
	size_t source; /* its number: one source may have several names */
};

struct line_map {
	struct line_map_source *sources;
	size_t source_count;
	size_t begun;       /* how many were, see line_map_begin_source() */
	uint32_t last_line; /* of all sources so far */
};

void line_map_init(struct line_map *map);
void line_map_clear(struct line_map *map);
void line_map_free(struct line_map *map);

/* The names that are added from now on are of another source than those before. */
void line_map_begin_source(struct line_map *map);

/* The lines that follow are of PATH, which must outlive the map. False: no memory, and nothing has
 * changed. */
bool line_map_add_source(struct line_map *map, const char *path);

/* The number of LINE of the last source, counted over all. False: more lines than a table can
 * tell apart (2^32 - 1). */
bool line_map_add_line(struct line_map *map, uint32_t line, uint32_t *out_global_line);

/* Where GLOBAL_LINE is: its file, and the line in it. NULL and line 0: in none. */
const char *line_map_find(const struct line_map *map, uint32_t global_line, uint32_t *out_line);

/* Are both lines of one source? */
bool line_map_is_same_source(const struct line_map *map, uint32_t global_line, uint32_t other);

#endif
