/* SPDX-License-Identifier: BSD-2-Clause */
#include "database/import.h"

#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "database/importer.h"
#include "database/modules.h"

enum { TEXT_BYTES_MAX = 1 << 30 };

/* ---- queries of all rows ------------------------------------------------------------------ */

/* How many columns a query of KIND has; a primary key may follow. */
static size_t columns_of(enum database_kind kind)
{
	switch (kind) {
	case DATABASE_ALIAS:
	case DATABASE_CATCH_ALL:
	case DATABASE_DOMAIN_ALIAS:
	case DATABASE_PATTERN:
		return 2;
	default:
		return 1;
	}
}

/* `@domain`, whether it was written so or without the @. */
static bool put_at(struct buffer *text)
{
	return (text->size > 0 && text->data[0] == '@') || buffer_insert(text, 0, bytes_of("@"));
}

static bool add_row(struct importer *importer, const struct database_row *row)
{
	size_t columns = columns_of(importer->kind);
	enum import_outcome outcome;
	size_t values = 0;

	importer->number = row->count > columns ? importer_number(&row->values[columns]) : 0;
	outcome = importer_take_key(importer, &row->values[0]);
	if (outcome != IMPORT_ROW)
		return outcome == IMPORT_NONE;
	if ((importer->kind == DATABASE_CATCH_ALL || importer->kind == DATABASE_DOMAIN_ALIAS) &&
	    !put_at(&importer->key))
		return importer_fail_memory(importer);
	buffer_clear(&importer->value);
	if (columns == 2) {
		outcome = importer_take_value(importer, &row->values[1], bytes_of("%s"));
		if (outcome != IMPORT_ROW)
			return outcome == IMPORT_NONE;
		if (importer->kind == DATABASE_DOMAIN_ALIAS && !put_at(&importer->value))
			return importer_fail_memory(importer);
		values = 1;
	}
	return row_store_add(&importer->stores[importer->kind], buffer_bytes(&importer->key),
			     buffer_bytes(&importer->value), values, importer->number) ||
	       importer_fail_memory(importer);
}

static bool check_columns(const struct importer *importer, const struct database_row *row)
{
	size_t columns = columns_of(importer->kind);

	if (row->count == columns || row->count == columns + 1)
		return true;
	report_error(importer->report, EX_CONFIG, importer->plan->labels[importer->kind], 0,
		     "the query has %zu columns; it needs %zu, and may have a primary key behind "
		     "them",
		     row->count, columns);
	return false;
}

static bool on_row(struct importer *importer, const struct database_row *row, void *context)
{
	(void)context;
	return check_columns(importer, row) && add_row(importer, row);
}

static bool run_query(struct importer *importer)
{
	return importer_read(importer, importer->plan->queries[importer->kind], DATABASE_ALL,
			     on_row, NULL) &&
	       importer_join(importer);
}

/* ---- the snapshot ------------------------------------------------------------------------- */

static bool run_queries(struct importer *importer)
{
	for (size_t i = 0; i < DATABASE_KINDS; i++) {
		if (importer->plan->queries[i] == NULL)
			continue;
		importer->kind = (enum database_kind)i;
		if (importer->plan->is_template ? !importer_run_template(importer)
						: !run_query(importer))
			return false;
		importer_warn(importer);
	}
	return true;
}

static bool read_snapshot(struct importer *importer)
{
	const struct database_module *module = importer->module;
	struct error err;

	if (!module->begin(importer->database, &err))
		return importer_fail(importer, &err);
	if (!importer_check_engines(importer) || !run_queries(importer))
		return false;
	return module->end(importer->database, &err) || importer_fail(importer, &err);
}

static void warn_of_doubt(const struct importer *importer)
{
	const char *doubt = importer->module->doubt(importer->database);

	if (doubt != NULL)
		report_warning(importer->report, WARNING_UNVERIFIED,
			       importer->plan->labels[importer->kind], 0, "%s", doubt);
}

static bool read_database(struct importer *importer)
{
	struct error err;
	bool is_read;

	importer->database = importer->module->open(&importer->plan->options, &err);
	if (importer->database == NULL)
		return importer_fail(importer, &err);
	warn_of_doubt(importer);
	is_read = read_snapshot(importer);
	importer->module->close(importer->database);
	return is_read;
}

void database_keep_out_of_cores(const struct database_plan *plan)
{
	/* With 1 as the limit the kernel neither writes a core nor hands it to a program. */
	const struct rlimit none = { .rlim_cur = 1, .rlim_max = 1 };

	/* One may also stand in a file that the library reads. */
	if (plan->options.password != NULL || strcmp(plan->type, "mysql") == 0)
		(void)setrlimit(RLIMIT_CORE, &none); /* less is always allowed */
}

/* The first of its queries, for what is said of all. */
static enum database_kind first_kind(const struct database_plan *plan)
{
	size_t i = 0;

	while (i + 1 < DATABASE_KINDS && plan->queries[i] == NULL)
		i++;
	return (enum database_kind)i;
}

bool database_import(const struct database_plan *plan, struct row_store *stores,
		     struct report *report)
{
	struct importer importer = {
		.plan = plan,
		.stores = stores,
		.report = report,
		.kind = first_kind(plan),
	};
	size_t errors = report->errors;
	struct error err;
	bool is_read;

	database_keep_out_of_cores(plan);
	importer.module = modules_load(plan->type, &err);
	if (importer.module == NULL)
		return importer_fail(&importer, &err);
	buffer_init(&importer.key, TEXT_BYTES_MAX);
	buffer_init(&importer.value, TEXT_BYTES_MAX);
	buffer_init(&importer.text, TEXT_BYTES_MAX);
	buffer_init(&importer.query, TEXT_BYTES_MAX);
	is_read = plan->directory != NULL ? importer_run_directory(&importer)
					  : read_database(&importer);
	buffer_free(&importer.key);
	buffer_free(&importer.value);
	buffer_free(&importer.text);
	buffer_free(&importer.query);
	return is_read && report->errors == errors;
}
