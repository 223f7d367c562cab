/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/line_source.h"

#include <stdlib.h>
#include <sysexits.h>

/* It is the first member. */
static struct line_source *base_of(struct source *source)
{
	return (struct line_source *)(void *)source;
}

struct source *line_source_open(size_t size, const struct settings_source *from,
				enum lines_form form, struct report *report)
{
	struct source *source = calloc(1, size);

	if (source == NULL) {
		report_error(report, EX_OSERR, from->path, 0, "out of memory");
		return NULL;
	}
	*base_of(source) = (struct line_source){
		.lines = lines_open(from->path, form, report),
		.path = from->path,
		.report = report,
	};
	if (base_of(source)->lines != NULL)
		return source;
	free(source);
	return NULL;
}

void line_source_close(struct source *source)
{
	if (source == NULL)
		return;
	lines_close(base_of(source)->lines);
	free(source);
}

enum source_step line_source_next(struct source *source,
				  enum line_outcome (*read)(struct source *source,
							    struct bytes line, uint32_t number,
							    struct source_row *out_row),
				  struct source_row *out_row)
{
	struct lines *lines = base_of(source)->lines;
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
