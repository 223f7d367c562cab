/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_database - a database as a source: what was read of it, row by row.
 *
 * All is read when it is opened, in one snapshot, which has ended when open() returns; a table that
 * has to be made twice is made of the same rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "database/import.h"
#include "database/like_pattern.h"
#include "sources/lines.h"
#include "sources/source.h"

struct source {
	struct database_plan plan;
	struct row_store stores[DATABASE_KINDS];
	struct report *report;
	size_t kind; /* at hand */
	size_t position;
	struct bytes delimiters;
	struct buffer expression; /* of a pattern */
	struct buffer value;
};

enum { PATTERN_BYTES_MAX = 1 << 20 };

static void database_close(struct source *source)
{
	if (source == NULL)
		return;
	for (size_t i = 0; i < DATABASE_KINDS; i++)
		row_store_free(&source->stores[i]);
	database_plan_free(&source->plan);
	buffer_free(&source->expression);
	buffer_free(&source->value);
	free(source);
}

/* Whoever waits for changes may look at the file, if there is one. */
static void tell_file(const char *path, struct report *report)
{
	struct stat status;

	if (report->on_file != NULL && stat(path, &status) == 0)
		report->on_file(path, &status, report->on_file_context);
}

/* Of SQLite the file, as any source, and its log. What isn't there is for the library to say. */
static bool check_file(const struct database_plan *plan, struct report *report)
{
	const char *path =
		plan->options.connection != NULL ? plan->options.connection : plan->options.name;
	struct stat status;
	char *log;

	if (strcmp(plan->type, "sqlite") != 0 || path == NULL || stat(path, &status) != 0)
		return true;
	if (!lines_trust(path, &status, report))
		return false;
	tell_file(path, report);
	if (asprintf(&log, "%s-wal", path) < 0)
		return true; /* its changes are seen a little later */
	tell_file(log, report);
	free(log);
	return true;
}

static struct source *open_type(const char *type, const struct settings_source *from,
				const struct settings *settings, struct report *report)
{
	struct source *source = calloc(1, sizeof(*source));
	bool is_good = source != NULL;

	if (source == NULL) {
		report_error(report, EX_OSERR, from->path, 0, "out of memory");
		return NULL;
	}
	source->report = report;
	source->delimiters = bytes_of(settings->recipient_delimiter);
	buffer_init(&source->expression, PATTERN_BYTES_MAX);
	buffer_init(&source->value, PATTERN_BYTES_MAX);
	for (size_t i = 0; i < DATABASE_KINDS; i++)
		is_good &= row_store_init(&source->stores[i]);
	if (!is_good)
		report_error(report, EX_OSERR, from->path, 0, "no random seed to be had");
	is_good = database_plan_make(from, settings, type, report, &source->plan) && is_good;
	is_good = is_good && check_file(&source->plan, report);
	if (is_good && database_import(&source->plan, source->stores, report))
		return source;
	database_close(source);
	return NULL;
}

static struct source *mysql_source_open(const struct settings_source *from,
					const struct settings *settings, struct report *report)
{
	return open_type("mysql", from, settings, report);
}

static struct source *postgresql_open(const struct settings_source *from,
				      const struct settings *settings, struct report *report)
{
	return open_type("postgresql", from, settings, report);
}

static struct source *ldap_open(const struct settings_source *from, const struct settings *settings,
				struct report *report)
{
	return open_type("ldap", from, settings, report);
}

static struct source *sqlite_source_open(const struct settings_source *from,
					 const struct settings *settings, struct report *report)
{
	return open_type("sqlite", from, settings, report);
}

static enum source_row_kind row_kind(enum database_kind kind)
{
	switch (kind) {
	case DATABASE_DOMAIN:
		return SOURCE_ROW_MAILBOX_DOMAIN;
	case DATABASE_ALIAS_DOMAIN:
		return SOURCE_ROW_DOMAIN;
	case DATABASE_MAILBOX:
		return SOURCE_ROW_RECIPIENT;
	default:
		return SOURCE_ROW_ENTRY;
	}
}

/* False: the row is wrong, which was reported, and is passed over. A number has no place in it: it
 * is no line, and the order of patterns is that of the answer. */
static bool make_pattern(struct source *source, struct source_row *row)
{
	struct error err;

	row->line = 0;
	if (like_pattern_make(row, source->delimiters, &source->expression, &source->value, &err))
		return true;
	source->report->subject = row->key;
	report_error(source->report, err.status, row->place, 0, "%s", err.text);
	source->report->subject = bytes_make(NULL, 0);
	return false;
}

static enum source_step database_next(struct source *source, struct source_row *out_row)
{
	for (; source->kind < DATABASE_KINDS; source->kind++, source->position = 0) {
		struct row_store_key key;

		while (row_store_next(&source->stores[source->kind], &source->position, &key)) {
			*out_row = (struct source_row){
				.kind = row_kind((enum database_kind)source->kind),
				.place = source->plan.labels[source->kind],
				.key = key.key,
				.value = key.value,
				.line = key.number,
			};
			if (source->kind != DATABASE_PATTERN || make_pattern(source, out_row))
				return SOURCE_ROW;
		}
		if (source->position == SIZE_MAX) {
			report_error(source->report, EX_OSERR, source->plan.labels[source->kind], 0,
				     "out of memory");
			return SOURCE_FAILED;
		}
	}
	return SOURCE_END;
}

static void database_rewind(struct source *source)
{
	source->kind = 0;
	source->position = 0;
}

const struct source_type source_type_mysql = {
	.name = "mysql",
	.open = mysql_source_open,
	.next = database_next,
	.close = database_close,
	.rewind = database_rewind,
};

const struct source_type source_type_postgresql = {
	.name = "postgresql",
	.open = postgresql_open,
	.next = database_next,
	.close = database_close,
	.rewind = database_rewind,
};

const struct source_type source_type_sqlite = {
	.name = "sqlite",
	.open = sqlite_source_open,
	.next = database_next,
	.close = database_close,
	.rewind = database_rewind,
};

const struct source_type source_type_ldap = {
	.name = "ldap",
	.open = ldap_open,
	.next = database_next,
	.close = database_close,
	.rewind = database_rewind,
};
