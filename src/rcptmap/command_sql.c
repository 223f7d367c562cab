/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command_sql - what a database has to be told so that it tells of changes: the triggers on the
 * tables that a schema reads.
 */
#include "rcptmap/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "changes/interest.h"
#include "show/text_output.h"

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
static void put_trigger(const char *table, struct buffer *out)
{
	(void)buffer_append_format(out,
				   "DROP TRIGGER IF EXISTS openrcpt_changed ON %s;\n"
				   "CREATE TRIGGER openrcpt_changed\n"
				   "    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s\n"
				   "    FOR EACH STATEMENT EXECUTE FUNCTION openrcpt_changed();\n",
				   table, table);
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
static int print_of(const struct settings_source *source)
{
	struct settings *settings = settings_new();
	struct database_plan plan;
	struct interest interest;
	struct report report;
	struct error err;
	int status;

	if (settings == NULL) {
		error_fill_memory(&err);
		return command_fail(&err);
	}
	report_init(&report, stderr);
	if (!database_plan_make(source, settings, "postgresql", &report, &plan))
		status = report.status;
	else if (!interest_find(&plan, &interest, &err))
		status = command_fail(&err);
	else
		status = print_triggers(&interest);
	database_plan_free(&plan);
	report_free(&report);
	settings_free(settings);
	return status;
}

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
	struct error err;
	int status = EX_OK;

	if (members == NULL) {
		error_fill_memory(&err);
		return command_fail(&err);
	}
	members[0] = (struct settings_member){ .name = schema, .value = operands[0] };
	for (size_t i = 1; i < count && status == EX_OK; i++)
		if (!take_parameter(operands[i], &members[i], &err))
			status = command_fail(&err);
	if (status == EX_OK)
		status = print_of(&source);
	free(members);
	return status;
}

int command_sql(const struct options *options)
{
	struct error err;

	if (strcmp(options->operands[0], "postgresql") == 0)
		return print_for(options->operands + 1, (size_t)options->operand_count - 1);
	error_fill(&err, EX_USAGE,
		   "sql: %s: only postgresql needs triggers, so that it tells of changes",
		   options->operands[0]);
	return command_fail(&err);
}
