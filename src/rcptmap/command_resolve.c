/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "rcptmap/explain.h"
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

static int run(const struct table *table, const struct settings *settings,
	       const struct answer_texts *texts, const struct options *options)
{
	struct explain explain;
	struct text_output output;
	struct error sink_error;
	struct error err = { 0 };
	bool is_done;

	explain_init(&explain, table, &settings->limits, texts, options->is_json,
		     options->is_verbose);
	text_output_init(&output, STDOUT_FILENO);
	is_done = explain_all(&explain, options, &output, &err);
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
