/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command_compile - compile, and watch: compile whenever something has changed.
 */
#include "rcptmap/command.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "changes/changes.h"
#include "compile/compile.h"
#include "follow/follow.h"
#include "follow/follow_status.h"
#include "postfix_check/postfix_maps.h"
#include "settings/apart.h"
#include "show/text_output.h"
#include "sources/source.h"

static void free_sources(struct settings_source *sources, size_t count)
{
	for (size_t i = 0; i < count; i++)
		settings_source_clear(&sources[i]);
	free(sources);
}

/* The operands as sources; NULL on failure. */
static struct settings_source *take_sources(const struct options *options, struct error *err)
{
	size_t count = (size_t)options->operand_count;
	struct settings_source *sources = calloc(count, sizeof(*sources));

	if (sources == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		if (!command_source(options->operands[i], &sources[i], err)) {
			free_sources(sources, i);
			return NULL;
		}
	}
	return sources;
}

static bool is_configured(const struct settings *settings, const struct settings_source *sources,
			  size_t count)
{
	if (count != settings->source_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (source_type_find(sources[i].type) !=
			    source_type_find(settings->sources[i].type) ||
		    !command_is_same_file(sources[i].path, settings->sources[i].path))
			return false;
	return true;
}

/* A file that somebody names would replace all that is served: was that meant? */
static bool check_replacing(const struct options *options, const struct settings *settings,
			    const struct settings_source *sources, struct error *err)
{
	size_t count = (size_t)options->operand_count;

	if (options->output != NULL || options->is_brief || options->is_forced ||
	    access(settings->table, F_OK) != 0 || is_configured(settings, sources, count))
		return true;
	return error_set(err, EX_USAGE,
			 "compile: %s alone would replace %s; add it to the sources of the "
			 "configuration, or say -o TABLE, -n, or --force",
			 count == 1 ? options->operands[0] : "these files", settings->table);
}

static int compile(const struct options *options, bool keeps_same, const struct attempt_help *help)
{
	struct compile_options what = {
		.output = options->output,
		.is_lenient = options->is_lenient,
		.keeps_same = keeps_same,
		.wants_postmaster = options->output == NULL, /* about a site, not about a table */
		.is_forced = options->is_forced,
		.is_check_only = options->is_brief,
		.is_proof_skipped = options->skips_proof,
		.is_sync_skipped = options->skips_sync,
		.warnings = options->warnings,
		.remembers_warnings = options->output == NULL, /* of what is installed */
		.repeats_known = options->is_verbose,
		.has_notes = options->is_verbose,
		.shows_progress = isatty(STDERR_FILENO) == 1,
		.says_result = options->is_verbose || isatty(STDERR_FILENO) == 1,
		.messages = stderr,
		.on_file = help->on_file,
		.on_file_context = help->file_context,
		.mirrors = help->mirrors,
	};
	struct settings_source *sources = NULL;
	struct settings *settings;
	struct error err;
	int status;

	settings = command_settings(options, &err);
	if (settings == NULL)
		return command_fail(&err);
	what.sources = settings->sources;
	what.source_count = settings->source_count;
	if (options->operand_count > 0) {
		sources = take_sources(options, &err);
		if (sources == NULL || !check_replacing(options, settings, sources, &err)) {
			if (sources != NULL)
				free_sources(sources, (size_t)options->operand_count);
			settings_free(settings);
			return command_fail(&err);
		}
		what.sources = sources;
		what.source_count = (size_t)options->operand_count;
	}
	if (what.output == NULL) {
		what.output = settings->table;
		what.keeps_replaced = true;
		/* Another table is none of Postfix's business. */
		if (settings->postfix_maps_directory[0] != '\0')
			what.before_publishing = postfix_maps_write;
	}
	status = compile_run(settings, &what);
	if (sources != NULL)
		free_sources(sources, what.source_count);
	settings_free(settings);
	return status;
}

int command_compile(const struct options *options)
{
	const struct attempt_help nobody = { .on_file = NULL };

	return compile(options, false, &nobody);
}

/* ---- watch ---------------------------------------------------------------------------------- */

static int compile_once_more(const struct attempt_help *help, void *context)
{
	return compile(context, false, help);
}

static int compile_anew(const struct attempt_help *help, void *context)
{
	return compile(context, true, help);
}

/* Without ERR nothing is printed either: the compilation that follows does. */
static struct settings *load_settings(void *context, struct error *err)
{
	const struct options *options = context;

	if (err != NULL)
		return command_settings(options, err);
	return settings_load_apart(options->configuration != NULL ? options->configuration
								  : SETTINGS_DEFAULT_FILE,
				   NULL, NULL, NULL);
}

static int show_status(const struct options *options)
{
	const char *path =
		options->configuration != NULL ? options->configuration : SETTINGS_DEFAULT_FILE;
	struct settings *settings = settings_load_apart(path, NULL, NULL, NULL);
	struct text_output output;
	enum plugin_state health;
	struct error err;

	text_output_init(&output, STDOUT_FILENO);
	health = follow_status(settings, &output.text);
	settings_free(settings);
	return text_output_finish(&output, &err) ? (int)health : command_fail(&err);
}

int command_watch(const struct options *options)
{
	struct options what = *options;
	const struct follow_options follow = {
		.load = load_settings,
		.compile = compile_once_more,
		.compile_anew = compile_anew,
		.listen = changes_listen,
		.name = changes_name,
		.schema = changes_schema,
		.context = &what,
		.configuration = options->configuration != NULL ? options->configuration
								: SETTINGS_DEFAULT_FILE,
		.metrics = options->metrics,
	};

	return options->wants_status ? show_status(options) : follow_run(&follow);
}
