/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command_sql - what a database has to be told so that it tells of changes: the triggers on the
 * tables that a schema, or a configured source, reads.
 */
#include "rcptmap/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "changes/changes.h"
#include "changes/interest.h"
#include "show/text_output.h"

enum { NAME_BYTES = 256 };

static const char head[] =
	"-- The tables that openrcpt reads tell of each change that is committed, by NOTIFY "
	"openrcpt.\n"
	"-- To be run by who owns them; it may be run again.\n"
	"BEGIN;\n"
	"CREATE OR REPLACE FUNCTION openrcpt_changed() RETURNS trigger LANGUAGE plpgsql AS $$\n"
	"BEGIN\n"
	"    PERFORM pg_catalog.pg_notify('openrcpt', TG_TABLE_NAME);\n"
	"    RETURN NULL;\n"
	"END\n"
	"$$;\n";

/* Failures of appends are told by text_output_finish(), as below. */
static void put_literal(const char *text, struct buffer *out)
{
	(void)buffer_append_byte(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			(void)buffer_append_byte(out, '\'');
		(void)buffer_append_byte(out, *text);
	}
	(void)buffer_append_byte(out, '\'');
}

/* A view can't have one, and a name that WITH has given to a query is no table. */
static void put_trigger(const char *table, struct buffer *out)
{
	(void)buffer_append_text(
		out, "DO $openrcpt$\n"
		     "BEGIN\n"
		     "    IF EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relkind IN "
		     "('r', 'p')\n"
		     "               AND oid = to_regclass(");
	put_literal(table, out);
	(void)buffer_append_format(
		out,
		")) THEN\n"
		"        DROP TRIGGER IF EXISTS openrcpt_changed ON %s;\n"
		"        CREATE TRIGGER openrcpt_changed\n"
		"            AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s\n"
		"            FOR EACH STATEMENT EXECUTE FUNCTION openrcpt_changed();\n"
		"    ELSE\n"
		"        RAISE WARNING 'no table, so nothing is told of it: %%', ",
		table, table);
	put_literal(table, out);
	(void)buffer_append_text(out, ";\n"
				      "    END IF;\n"
				      "END\n"
				      "$openrcpt$;\n");
}

static int print_triggers(const struct interest *interest)
{
	struct text_output output;
	struct error err;

	text_output_init(&output, STDOUT_FILENO);
	(void)buffer_append_text(&output.text, head);
	for (size_t i = 0; interest->tables[i] != NULL; i++)
		put_trigger(interest->tables[i], &output.text);
	(void)buffer_append_text(&output.text, "COMMIT;\n");
	return text_output_finish(&output, &err) ? EX_OK : command_fail(&err);
}

/* The tables that SOURCE reads. */
static int print_of(const struct settings_source *source, const struct settings *settings)
{
	struct database_plan plan;
	struct interest interest;
	struct report report;
	struct error err;
	int status;

	report_init(&report, stderr);
	if (!database_plan_make(source, settings, "postgresql", &report, &plan))
		status = report.status;
	else if (!interest_find(&plan, &interest, &err))
		status = command_fail(&err);
	else
		status = print_triggers(&interest);
	database_plan_free(&plan);
	report_free(&report);
	return status;
}

/* ---- of a schema -------------------------------------------------------------------------- */

/* `NAME=VALUE`: a parameter of the schema. */
static bool take_parameter(char *text, struct settings_member *out_member, struct error *err)
{
	char *equals = strchr(text, '=');

	if (equals == NULL)
		return error_set(err, EX_USAGE, "sql: %s: is no NAME=VALUE", text);
	*equals = '\0';
	*out_member = (struct settings_member){ .name = text, .value = equals + 1 };
	return true;
}

static int print_for(char **operands, size_t count)
{
	static char type[] = "postgresql", path[] = "", schema[] = "schema";
	struct settings_member *members = calloc(count, sizeof(*members));
	const struct settings_source source = {
		.type = type, .path = path, .members = members, .member_count = count
	};
	struct settings *settings = settings_new();
	struct error err;
	int status = EX_OK;

	if (members == NULL || settings == NULL) {
		free(members);
		settings_free(settings);
		error_fill_memory(&err);
		return command_fail(&err);
	}
	members[0] = (struct settings_member){ .name = schema, .value = operands[0] };
	for (size_t i = 1; i < count && status == EX_OK; i++)
		if (!take_parameter(operands[i], &members[i], &err))
			status = command_fail(&err);
	if (status == EX_OK)
		status = print_of(&source, settings);
	settings_free(settings);
	free(members);
	return status;
}

/* ---- of a source -------------------------------------------------------------------------- */

/* The one that is called NAME, as `postgresql:main`. */
static const struct settings_source *find_source(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->source_count; i++) {
		const struct settings_source *source = &settings->sources[i];
		char told[NAME_BYTES];

		if (!settings_type_is_database(source->type))
			continue;
		changes_name(source, told, sizeof(told));
		if (strcmp(told, name) == 0)
			return source;
	}
	return NULL;
}

static int print_for_source(const struct options *options)
{
	const char *name = options->operands[0];
	const struct settings_source *source;
	struct settings *settings;
	struct error err;
	int status;

	settings = command_settings(options, &err);
	if (settings == NULL)
		return command_fail(&err);
	source = find_source(settings, name);
	if (source == NULL) {
		error_fill(&err, EX_USAGE, "sql: %s: there is no such source", name);
		status = command_fail(&err);
	} else {
		status = print_of(source, settings);
	}
	settings_free(settings);
	return status;
}

int command_sql(const struct options *options)
{
	static const char type[] = "postgresql";
	const char *first = options->operands[0];
	bool is_source = strncmp(first, "postgresql:", sizeof(type)) == 0;
	struct error err;

	if (is_source && options->operand_count == 1)
		return print_for_source(options);
	if (strcmp(first, type) == 0 && options->operand_count > 1)
		return print_for(options->operands + 1, (size_t)options->operand_count - 1);
	if (is_source)
		error_fill(&err, EX_USAGE, "sql: %s: a source has no parameters", first);
	else if (strcmp(first, type) == 0)
		error_fill(&err, EX_USAGE, "sql: a schema is missing");
	else
		error_fill(&err, EX_USAGE,
			   "sql: %s: only postgresql needs triggers, so that it tells of changes",
			   first);
	return command_fail(&err);
}
