/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "explain/explain.h"
#include "rcptmap/key_batch.h"
#include "show/text_input.h"
#include "show/text_output.h"

static bool explain_input(struct explain *explain, struct text_output *output, struct error *err)
{
	struct bytes lines[KEY_BATCH_MAX];
	struct text_input input;
	size_t count;
	bool is_done;

	if (!text_input_init(&input, STDIN_FILENO, output, err))
		return false;
	do {
		is_done = text_input_next(&input, KEY_BATCH_MAX, lines, &count, err);
		if (is_done)
			key_batch_prefetch(explain->table, lines, count);
		for (size_t i = 0; is_done && i < count; i++) {
			explain_address(explain, lines[i], &output->text);
			is_done = text_output_advance(output);
		}
	} while (is_done && count > 0);
	text_input_free(&input);
	return is_done;
}

static bool explain_all(struct explain *explain, const struct options *options,
			struct text_output *output, struct error *err)
{
	bool is_done = true;

	for (int i = 0; i < options->operand_count && is_done; i++) {
		if (strcmp(options->operands[i], "-") == 0) {
			is_done = explain_input(explain, output, err);
		} else {
			explain_address(explain, bytes_of(options->operands[i]), &output->text);
			is_done = text_output_advance(output);
		}
	}
	return is_done;
}

static int status_of(const struct explain *explain)
{
	/* A deferral says that the answer isn't known yet, so it comes before a refusal. */
	if (explain->has_deferred)
		return EX_TEMPFAIL;
	return explain->has_refused ? 1 : EX_OK;
}

/* Only for a terminal that knows colours, and somebody who wants them (no-color.org). */
static bool wants_colour(void)
{
	/* NOLINTBEGIN(concurrency-mt-unsafe): nobody changes the environment */
	const char *terminal = getenv("TERM");
	const char *refusal = getenv("NO_COLOR");
	/* NOLINTEND(concurrency-mt-unsafe) */

	return isatty(STDOUT_FILENO) == 1 && (refusal == NULL || refusal[0] == '\0') &&
	       terminal != NULL && terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
}

static int run(const struct table *table, const struct settings *settings,
	       const struct answer_texts *texts, const struct options *options)
{
	const struct explain_form form = {
		.is_json = options->is_json,
		.is_dot = options->is_dot,
		.is_verbose = options->is_verbose,
		.is_coloured = wants_colour(),
	};
	struct explain explain;
	struct text_output output;
	struct error sink_error;
	struct error err = { 0 };
	bool is_done;

	explain_init(&explain, table, &settings->limits, texts, &form);
	text_output_init(&output, STDOUT_FILENO);
	if (form.is_dot)
		tree_dot_begin(&output.text);
	is_done = explain_all(&explain, options, &output, &err);
	if (form.is_dot)
		tree_dot_end(&output.text);
	explain_free(&explain);
	if (!text_output_finish(&output, &sink_error))
		return command_fail(&sink_error);
	return is_done ? status_of(&explain) : command_fail(&err);
}

int command_resolve(const struct options *options)
{
	struct settings *settings;
	struct answer_texts texts;
	struct table *table = NULL;
	struct error err;
	int status;

	if (options->is_json && options->is_dot) {
		error_fill(&err, EX_USAGE, "resolve: --json and --dot exclude each other");
		return command_fail(&err);
	}
	/* The limits and the words are the configured ones, also with -t. */
	settings = command_settings(options, &err);
	if (settings != NULL &&
	    answer_texts_init(&texts, settings->unknown_reply, settings->unknown_text, &err))
		table = command_open_path(options->table != NULL ? options->table : settings->table,
					  settings, &err);
	if (table != NULL)
		status = run(table, settings, &texts, options);
	else
		status = command_fail(&err);
	table_close(table);
	settings_free(settings);
	return status;
}
