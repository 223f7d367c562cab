/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rcptctl - ask a running openrcptd, and have it reload.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "explain/explain.h"
#include "follow/follow_state.h"
#include "rcptctl/check.h"
#include "rcptctl/client.h"
#include "rcptctl/options.h"
#include "rcptctl/report.h"
#include "settings/apart.h"
#include "settings/nearest.h"
#include "settings/settings.h"
#include "show/json.h"
#include "show/text_output.h"
#include "table/table.h"

enum { ASK_SECONDS = 10, RELOAD_SECONDS = 300 };

/* ---- what is printed ----------------------------------------------------------------------- */

static int fail(const struct error *err)
{
	if (err->text[0] != '\0')
		(void)fprintf(stderr, "rcptctl: %s\n", err->text); /* nowhere else to say so */
	return err->status;
}

static void print_mistake(const char *text, void *context)
{
	bool *has_printed = context;

	(void)fprintf(stderr, "rcptctl: %s\n", text); /* see fail() */
	*has_printed = true;
}

/* All of OUTPUT is written, or the status says why not. */
static int finish(struct text_output *output, int status)
{
	struct error err;

	return text_output_finish(output, &err) ? status : fail(&err);
}

/* The table that came with the answer; NULL: none did, or the rest is of another one, since one
 * took the place of the other just then. */
static struct table *open_lent(const struct client_answer *answer)
{
	struct error ignored;
	struct table *table =
		answer->descriptor < 0
			? NULL
			: table_open_descriptor("the table in use", answer->descriptor,
						TABLE_UNPROVED, &ignored);

	if (table == NULL ||
	    table_facts(table)->generation == client_number(answer, "table_generation"))
		return table;
	table_close(table);
	return NULL;
}

/* What `rcptmap watch` says of databases; NULL: nothing. Where nobody watches nobody is up. */
static struct follow_state *read_watch(const struct settings *settings)
{
	struct follow_state *watch = calloc(1, sizeof(*watch));
	char path[PATH_MAX];
	bool is_running;

	if (watch == NULL || !follow_state_path(settings->runtime_directory, path, NULL) ||
	    !follow_state_read(path, watch, NULL) || watch->source_count == 0) {
		free(watch);
		return NULL;
	}
	is_running = follow_state_is_locked(path);
	for (size_t i = 0; i < watch->source_count && !is_running; i++) {
		watch->sources[i].is_up = false;
		(void)snprintf(watch->sources[i].reason, sizeof(watch->sources[i].reason),
			       "nobody watches"); /* fits */
	}
	return watch;
}

/* What the daemon says of itself, of which ONLY is shown; NULL: all. */
static int show(const struct settings *settings, const struct options *options, const char *request,
		int seconds, const char *const *only)
{
	struct client_answer answer;
	struct text_output output;
	struct error err = { .status = EX_OK };
	struct follow_state *watch;
	struct table *table;
	int status;

	if (!client_ask(settings, request, options->seconds > 0 ? options->seconds : seconds,
			&answer, &err)) {
		client_answer_free(&answer);
		return fail(&err);
	}
	table = only == NULL ? open_lent(&answer) : NULL;
	watch = only == NULL && strcmp(request, "status") == 0 ? read_watch(settings) : NULL;
	text_output_init(&output, STDOUT_FILENO);
	if (answer.status == EX_OK || options->is_json)
		report_values(&answer, only, table, watch, options->is_json, &output.text);
	free(watch);
	table_close(table);
	status = finish(&output, answer.status);
	if (answer.status != EX_OK) {
		struct bytes reason = client_value(&answer, "reason");

		error_fill(&err, answer.status, "%s: " BYTES_FORMAT, request, BYTES_ARGS(reason));
		(void)fail(&err);
	}
	client_answer_free(&answer);
	return status;
}

/* ---- commands ------------------------------------------------------------------------------ */

static int run_status(const struct settings *settings, const struct options *options)
{
	return show(settings, options, "status", ASK_SECONDS, NULL);
}

static int run_stats(const struct settings *settings, const struct options *options)
{
	return show(settings, options, "stats", ASK_SECONDS, NULL);
}

static int run_sessions(const struct settings *settings, const struct options *options)
{
	static const char *const names[] = { "sessions", "max_sessions", NULL };

	return show(settings, options, "status", ASK_SECONDS, names);
}

static int run_reexec(const struct settings *settings, const struct options *options)
{
	static const char *const nothing[] = { NULL };

	return show(settings, options, "reexec", RELOAD_SECONDS, options->is_json ? NULL : nothing);
}

/* Silent where it is done, as a reload of any service. */
static int run_reload(const struct settings *settings, const struct options *options)
{
	static const char *const nothing[] = { NULL };

	return show(settings, options, "reload", RELOAD_SECONDS, options->is_json ? NULL : nothing);
}

static int explain_all(const struct settings *settings, const struct options *options,
		       const struct table *table)
{
	const struct explain_form form = {
		.is_json = options->is_json,
		.is_verbose = options->is_verbose,
	};
	struct answer_texts texts;
	struct text_output output;
	struct explain explain;
	struct error err;
	int status;

	if (!answer_texts_init(&texts, settings->unknown_reply, settings->unknown_text, &err))
		return fail(&err);
	text_output_init(&output, STDOUT_FILENO);
	explain_init(&explain, table, &settings->limits, &texts, &form);
	for (int i = 0; i < options->operand_count; i++)
		explain_address(&explain, bytes_of(options->operands[i]), &output.text);
	status = explain.has_deferred ? EX_TEMPFAIL : explain.has_refused ? 1 : EX_OK;
	explain_free(&explain);
	return finish(&output, status);
}

/* The daemon lends the table that it serves; the same code answers from it. */
static int run_resolve(const struct settings *settings, const struct options *options)
{
	struct client_answer answer;
	struct table *table = NULL;
	struct error err = { .status = EX_OK };
	int status;

	if (client_ask(settings, "table", ASK_SECONDS, &answer, &err)) {
		struct bytes reason = client_value(&answer, "reason");

		if (answer.descriptor >= 0)
			table = table_open_descriptor("the table in use", answer.descriptor,
						      TABLE_MAPPED, &err);
		else
			error_fill(&err, answer.status != EX_OK ? answer.status : EX_PROTOCOL,
				   "resolve: " BYTES_FORMAT, BYTES_ARGS(reason));
	}
	status = table != NULL ? explain_all(settings, options, table) : fail(&err);
	table_close(table);
	client_answer_free(&answer);
	return status;
}

static enum check_state judge(const struct settings *settings, const struct options *options,
			      struct buffer *out)
{
	int seconds = options->seconds > 0 ? options->seconds : ASK_SECONDS;
	struct client_answer status;
	enum check_state state = CHECK_UNKNOWN;
	struct error err = { .status = EX_OK };
	bool is_answered = client_ask(settings, "status", seconds, &status, &err);

	if (is_answered)
		state = check_judge(&status, &options->limits, out);
	client_answer_free(&status);
	if (is_answered)
		return state;
	/* Nobody there is what monitoring is for; not being allowed to ask is a mistake in it. */
	state = err.status == EX_NOPERM || err.status == EX_CONFIG ? CHECK_UNKNOWN : CHECK_CRITICAL;
	(void)buffer_append_format(out, "%s - %s\n", check_name(state), err.text);
	return state;
}

static int run_check(const struct settings *settings, const struct options *options)
{
	struct text_output output;
	enum check_state state;
	struct buffer line;
	struct json json;

	text_output_init(&output, STDOUT_FILENO);
	buffer_init(&line, 8192);
	state = judge(settings, options, &line);
	if (options->is_json) {
		json_init(&json, &output.text);
		json_object_begin(&json);
		json_name(&json, "state");
		json_string(&json, bytes_of(check_name(state)));
		json_name(&json, "text");
		json_string(&json,
			    bytes_first(buffer_bytes(&line), line.size > 0 ? line.size - 1 : 0));
		json_object_end(&json);
		(void)buffer_append_byte(&output.text, '\n'); /* finish() sees a failure */
	} else {
		(void)buffer_append(&output.text, buffer_bytes(&line)); /* likewise */
	}
	buffer_free(&line);
	return finish(&output, (int)state);
}

/* ---- which one ------------------------------------------------------------------------------ */

static const struct command {
	const char *name;
	int least_operands;
	int most_operands;
	int (*run)(const struct settings *settings, const struct options *options);
} commands[] = {
	{ "status", 0, 0, run_status },      { "stats", 0, 0, run_stats },
	{ "reexec", 0, 0, run_reexec },      { "reload", 0, 0, run_reload },
	{ "resolve", 1, 1000, run_resolve }, { "sessions", 0, 0, run_sessions },
	{ "check", 0, 0, run_check },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void tell_unknown(const char *name)
{
	const char *meant = NULL;
	unsigned least = NEAREST_ENOUGH;

	for (size_t i = 0; i < COMMANDS; i++) {
		unsigned distance = nearest_distance(name, commands[i].name);

		if (distance <= least)
			meant = commands[i].name;
		if (distance <= least)
			least = distance;
	}
	(void)fprintf(stderr, "rcptctl: no command is called %s%s%s%s\n", name, /* see fail() */
		      meant != NULL ? "; did you mean " : "", meant != NULL ? meant : "",
		      meant != NULL ? "?" : "");
}

static const struct command *find_command(const struct options *options)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->name, options->command) != 0)
			continue;
		if (options->operand_count >= command->least_operands &&
		    options->operand_count <= command->most_operands)
			return command;
		(void)fprintf(stderr, "rcptctl: %s: %s\n", command->name, /* see fail() */
			      options->operand_count < command->least_operands
				      ? "an address is missing"
				      : "too many arguments");
		return NULL;
	}
	tell_unknown(options->command);
	return NULL;
}

static int run(const struct command *command, const struct options *options)
{
	struct settings *settings;
	bool has_printed = false;
	struct error err;
	int status;

	settings = settings_load_apart(options->configuration, print_mistake, &has_printed, &err);
	if (settings == NULL) {
		if (has_printed)
			err.text[0] = '\0';
		status = fail(&err);
		return command->run == run_check ? (int)CHECK_UNKNOWN : status;
	}
	status = command->run(settings, options);
	settings_free(settings);
	return status;
}

int main(int count, char **arguments)
{
	const struct command *command;
	struct options options;
	int status;

	if (!options_read(count, arguments, &options, &status))
		return status;
	command = find_command(&options);
	return command == NULL ? EX_USAGE : run(command, &options);
}
