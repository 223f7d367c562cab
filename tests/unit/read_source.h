/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read_source - for the tests of importers: a file with the given text is read by a source type,
 * and what comes out is one text: a row a line, then what was reported.
 */
#ifndef UNIT_READ_SOURCE_H
#define UNIT_READ_SOURCE_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sources/source.h"

static char source_folder[] = "/tmp/test_source.XXXXXX";
static char source_path[PATH_MAX];
static int source_status; /* of the report, when the last read had ended */

static int source_begin(void **state)
{
	(void)state;
	strcpy(source_folder, "/tmp/test_source.XXXXXX");
	if (mkdtemp(source_folder) == NULL)
		return -1;
	(void)snprintf(source_path, sizeof(source_path), "%s/f", source_folder);
	return 0;
}

static int source_end(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", source_folder);
	return system(command);
}

static void source_put(const char *name, const void *text, size_t size)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(text, 1, size, stream), size);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(name, 0640), 0);
}

/* `3 rule is [expression] [exception] [value]`: flags as in pcre_table(5), `!` for negated. */
static void source_print_pattern(const struct source_row *row, FILE *stream)
{
	static const char *const kinds[] = { [TABLE_PATTERN_RULE] = "rule",
					     [TABLE_PATTERN_IF] = "if",
					     [TABLE_PATTERN_ENDIF] = "endif" };
	static const char letters[] = "!imsxAEU";

	(void)fprintf(stream, "%u %s ", (unsigned)row->line, kinds[row->pattern.kind]);
	for (size_t i = 0; letters[i] != '\0'; i++)
		if ((row->pattern.flags & 1u << i) != 0)
			(void)putc(letters[i], stream);
	if (row->pattern.kind != TABLE_PATTERN_ENDIF)
		(void)fprintf(stream, " [" BYTES_FORMAT "]", BYTES_ARGS(row->pattern.expression));
	if (row->pattern.exception.size > 0)
		(void)fprintf(stream, " ![" BYTES_FORMAT "]", BYTES_ARGS(row->pattern.exception));
	if (row->value.size > 0)
		(void)fprintf(stream, " [" BYTES_FORMAT "]", BYTES_ARGS(row->value));
	(void)putc('\n', stream);
}

static void source_print_row(const struct source_row *row, FILE *stream)
{
	static const char *const kinds[] = {
		[SOURCE_ROW_ENTRY] = "",
		[SOURCE_ROW_USER] = "user ",
		[SOURCE_ROW_DOMAIN] = "domain ",
		[SOURCE_ROW_MAILBOX_DOMAIN] = "mailbox-domain ",
		[SOURCE_ROW_RECIPIENT] = "recipient ",
	};

	if (row->kind == SOURCE_ROW_PATTERN) {
		source_print_pattern(row, stream);
		return;
	}
	(void)fprintf(stream, "%u %s[" BYTES_FORMAT "]", (unsigned)row->line, kinds[row->kind],
		      BYTES_ARGS(row->key));
	if (row->value.size > 0)
		(void)fprintf(stream, " [" BYTES_FORMAT "]", BYTES_ARGS(row->value));
	(void)putc('\n', stream);
}

/* Read source_path as TYPE. What was reported follows, with the folder's name taken out. */
static char *source_read(const char *type_name, const struct settings *settings)
{
	struct settings_source from = { .type = (char *)(uintptr_t)type_name, .path = source_path };
	const struct source_type *type = source_type_find(type_name);
	struct source *source;
	struct report report;
	char *rows, *messages, *both, *at;
	size_t rows_size, messages_size;
	FILE *row_stream = open_memstream(&rows, &rows_size);
	FILE *message_stream = open_memstream(&messages, &messages_size);
	enum source_step step = SOURCE_FAILED;

	assert_non_null(type);
	report_init(&report, message_stream);
	source = type->open(&from, settings, &report);
	if (source != NULL) {
		struct source_row row;

		while ((step = type->next(source, &row)) == SOURCE_ROW)
			source_print_row(&row, row_stream);
		type->close(source);
	}
	if (step == SOURCE_FAILED) {
		assert_true(report.errors > 0);
		(void)fputs("failed\n", row_stream);
	}
	source_status = report.status;
	report_free(&report);
	assert_int_equal(fclose(row_stream) | fclose(message_stream), 0);
	while ((at = strstr(messages, source_folder)) != NULL)
		memmove(at, at + strlen(source_folder), strlen(at + strlen(source_folder)) + 1);
	assert_true(asprintf(&both, "%s%s", rows, messages) >= 0);
	free(rows);
	free(messages);
	return both;
}

/* TEXT, read as TYPE, gives EXPECTED. */
__attribute__((unused)) static void source_gives(const char *type, const struct settings *settings,
						 const char *text, const char *expected)
{
	char *got;

	source_put(source_path, text, strlen(text));
	got = source_read(type, settings);
	if (strcmp(got, expected) != 0)
		fail_msg("\n%s\ngives\n%s\ninstead of\n%s", text, got, expected);
	free(got);
}

#define SOURCE_TEST(name) cmocka_unit_test_setup_teardown(name, source_begin, source_end)

#endif
