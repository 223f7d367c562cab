/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_source - what the fuzz targets of all importers do: read the input to its end, and hold
 * every row against what source.h promises.
 */
#ifndef FUZZ_SOURCE_H
#define FUZZ_SOURCE_H

#include "memory_file.h"

#include "sources/source.h"
#include "table/template.h"

static bool fuzz_source_is_reply(struct bytes value)
{
	return bytes_begin_with(value, bytes_of("error:")) ||
	       bytes_begin_with(value, bytes_of("discard:"));
}

/* It can be compiled, and has the groups that are put in. */
static void fuzz_source_check_pattern(const struct source_row *row)
{
	const struct table_pattern pattern = {
		.kind = row->pattern.kind,
		.flags = row->pattern.flags,
		.expression = row->pattern.expression,
		.exception = row->pattern.exception,
	};
	uint32_t groups;

	if (pattern.kind == TABLE_PATTERN_ENDIF)
		return;
	if (!table_pattern_check(&pattern, &groups, NULL) || groups != row->pattern.group_count)
		abort();
	if (!fuzz_source_is_reply(row->value) && !template_check(row->value, groups, NULL))
		abort();
}

static void fuzz_source_check(const struct source_row *row)
{
	/* Read every byte, so that a view past its end is seen. */
	if (bytes_contain(row->key, '\0') || bytes_contain(row->value, '\0'))
		abort();
	if (row->line == 0)
		abort();
	if (row->kind == SOURCE_ROW_ENTRY || row->kind == SOURCE_ROW_USER)
		if (row->key.size == 0 || row->value.size == 0)
			abort();
	if (row->kind == SOURCE_ROW_PATTERN)
		fuzz_source_check_pattern(row);
}

static int fuzz_source(const struct source_type *type, const struct settings *settings,
		       const uint8_t *data, size_t size)
{
	char path[MEMORY_FILE_PATH_BYTES];
	int fd = memory_file_open(data, size, path);
	struct settings_source from = { .path = path };
	enum source_step step = SOURCE_FAILED;
	struct source *source;
	struct report report;
	struct source_row row;
	FILE *stream = fopen("/dev/null", "w");

	if (stream == NULL)
		abort();
	report_init(&report, stream);
	source = type->open(&from, settings, &report);
	while (source != NULL && (step = type->next(source, &row)) == SOURCE_ROW)
		fuzz_source_check(&row);
	if (source != NULL)
		type->close(source);
	if (step == SOURCE_FAILED && report.errors == 0)
		abort();
	report_free(&report);
	(void)fclose(stream);
	(void)close(fd);
	return report.errors == 0 ? 0 : -1;
}

#endif
