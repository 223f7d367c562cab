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
