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
#include "show/standard.h"
#include "show/text_output.h"
#include "table/table.h"

enum { ASK_SECONDS = 10, RELOAD_SECONDS = 300, LINE_BYTES = 8192 };

/* ---- what is printed ----------------------------------------------------------------------- */

static int fail(const struct error *err)
{
	if (err->text[0] != '\0')
		(void)fprintf(stderr, "rcptctl: %s\n", err->text); /* nowhere else to say so */
	return err->status;
}

/* CONTEXT gets the first one. */
static void print_mistake(const char *text, void *context)
{
	struct error *first = context;

	(void)fprintf(stderr, "rcptctl: %s\n", text); /* see fail() */
	if (first->text[0] == '\0')
		error_fill(first, EX_CONFIG, "%s", text);
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

static void say_waiting(const struct client_answer *answer, const char *value, const char *needs)
{
	struct bytes names = client_value(answer, value);

	if (names.size > 0)
		(void)fprintf(stderr, "rcptctl: reload: " BYTES_FORMAT ": needs %s\n",
			      BYTES_ARGS(names), needs); /* see fail() */
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
	if (answer.status == EX_OK && strcmp(request, "reload") == 0 && !options->is_json) {
		say_waiting(&answer, "needs_reexec", "rcptctl reexec");
		say_waiting(&answer, "needs_restart", "a restart");
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

/* Silent where all is done, as a reload of any service. */
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

static enum plugin_state judge(const struct settings *settings, const struct options *options,
			       struct buffer *out)
{
	int seconds = options->seconds > 0 ? options->seconds : ASK_SECONDS;
	struct client_answer status;
	enum plugin_state state = PLUGIN_UNKNOWN;
	struct error err = { .status = EX_OK };
	bool is_answered = client_ask(settings, "status", seconds, &status, &err);

	if (is_answered)
		state = check_judge(&status, &options->limits, out);
	client_answer_free(&status);
	if (is_answered)
		return state;
	/* Nobody there is what monitoring is for; not being allowed to ask is a mistake in it. */
	state = err.status == EX_NOPERM || err.status == EX_CONFIG ? PLUGIN_UNKNOWN
								   : PLUGIN_CRITICAL;
	check_fail(state, err.text, out);
	return state;
}

/* Print LINE, which says STATE; this is the exit status. */
static int end_check(enum plugin_state state, const struct buffer *line, bool is_json)
{
	struct text_output output;
	struct json json;

	text_output_init(&output, STDOUT_FILENO);
	if (is_json) {
		json_init(&json, &output.text);
		json_object_begin(&json);
		json_name(&json, "state");
		json_string(&json, bytes_of(plugin_word(state)));
		json_name(&json, "text");
		json_string(&json,
			    bytes_first(buffer_bytes(line), line->size > 0 ? line->size - 1 : 0));
		json_object_end(&json);
		(void)buffer_append_byte(&output.text, '\n'); /* finish() sees a failure */
	} else {
		(void)buffer_append(&output.text, buffer_bytes(line)); /* likewise */
	}
	return finish(&output, (int)state);
}

static int run_check(const struct settings *settings, const struct options *options)
{
	enum plugin_state state;
	struct buffer line;
	int status;

	buffer_init(&line, LINE_BYTES);
	state = judge(settings, options, &line);
	status = end_check(state, &line, options->is_json);
	buffer_free(&line);
	return status;
}

/* Of whom monitoring calls standard output alone is shown. */
static int fail_check(const struct error *err, bool is_json)
{
	struct buffer line;
	int status;

	buffer_init(&line, LINE_BYTES);
	check_fail(PLUGIN_UNKNOWN, err->text, &line);
	status = end_check(PLUGIN_UNKNOWN, &line, is_json);
	buffer_free(&line);
	return status;
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

static bool refuse_name(const char *name, struct error *err)
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
	if (meant == NULL)
		return error_set(err, EX_USAGE, "no command is called %s (see rcptctl -h)", name);
	return error_set(err, EX_USAGE, "no command is called %s; did you mean %s?", name, meant);
}

/* The command that OPTIONS name; NULL, see ERR. */
static const struct command *find_command(const struct options *options, struct error *err)
{
	const struct command *command = NULL;

	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, options->command) == 0)
			command = &commands[i];
	if (command == NULL)
		(void)refuse_name(options->command, err); /* the caller knows */
	else if (options->operand_count < command->least_operands)
		error_fill(err, EX_USAGE, "%s: an address is missing", command->name);
	else if (options->operand_count > command->most_operands)
		error_fill(err, EX_USAGE, "%s: too many arguments", command->name);
	else
		return command;
	return NULL;
}

static int run(const struct command *command, const struct options *options)
{
	struct error first = { .status = EX_OK };
	struct settings *settings;
	struct error err;
	int status;

	settings = settings_load_apart(options->configuration, print_mistake, &first, &err);
	if (settings == NULL) {
		status = first.text[0] == '\0' ? fail(&err) : err.status;
		if (first.text[0] == '\0')
			first = err;
		return command->run == run_check ? fail_check(&first, options->is_json) : status;
	}
	status = command->run(settings, options);
	settings_free(settings);
	return status;
}

/* Was it called as a plugin, whatever else is wrong? */
static bool names_check(int count, char **arguments)
{
	for (int i = 1; i < count; i++)
		if (strcmp(arguments[i], "check") == 0)
			return true;
	return false;
}

int main(int count, char **arguments)
{
	bool is_check = names_check(count, arguments); /* before words are moved */
	const struct command *command = NULL;
	struct options options;
	struct error err;

	standard_occupy();
	if (options_read(count, arguments, &options, &err))
		command = find_command(&options, &err);
	if (command != NULL)
		return run(command, &options);
	(void)fail(&err); /* the status is ours */
	return is_check && err.text[0] != '\0' ? fail_check(&err, options.is_json) : err.status;
}
