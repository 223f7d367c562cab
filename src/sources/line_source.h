/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line_source - what importers of text have in common: open a file, go from line to line, close it.
 *
 * An importer's `struct source` begins with a struct line_source, called base; what is its own
 * stands behind it. Its functions report to base.report, with base.path.
 */
#ifndef SOURCES_LINE_SOURCE_H
#define SOURCES_LINE_SOURCE_H

#include "sources/lines.h"
#include "sources/source.h"

struct line_source {
	struct lines *lines;
	const char *path;
	struct report *report;
};

/* What became of a line. */
enum line_outcome {
	LINE_IS_ROW,  /* *out_row is set */
	LINE_IS_NONE, /* it is wrong, and reported; or nothing comes of it: go on */
	LINE_FAILED,  /* it makes no sense to go on: reported */
};

/* A struct source of SIZE bytes, all zero but its base. NULL: reported. */
struct source *line_source_open(size_t size, const struct settings_source *from,
				enum lines_form form, struct report *report);

/* Close and free it. Accepts NULL. */
void line_source_close(struct source *source);

/* The next row that READ makes of a line; NUMBER is that of the line. Here, so that READ becomes
 * part of the loop. */
static inline enum source_step line_source_next(
	struct source *source,
	enum line_outcome (*read)(struct source *source, struct bytes line, uint32_t number,
				  struct source_row *out_row),
	struct source_row *out_row)
{
	struct lines *lines = ((struct line_source *)(void *)source)->lines;
	struct bytes line;
	uint32_t number;

	for (;;) {
		switch (lines_next(lines, &line, &number)) {
		case LINES_END:
			return SOURCE_END;
		case LINES_FAILED:
			return SOURCE_FAILED;
		case LINES_LINE:
			break;
		}
		switch (read(source, line, number, out_row)) {
		case LINE_IS_ROW:
			return SOURCE_ROW;
		case LINE_FAILED:
			return SOURCE_FAILED;
		case LINE_IS_NONE:
			break;
		}
	}
}

#endif
