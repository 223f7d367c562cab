/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command_history - history, rollback and diff: the tables that were in use before, one of them
 * again, and what differs between two.
 */
#include "rcptmap/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "compare/compare_tables.h"
#include "postfix_check/postfix_maps.h"
#include "publish/kept.h"
#include "publish/republish.h"
#include "show/json.h"
#include "show/print.h"
#include "show/text_output.h"

/* One table, opened, and what differs from the one before it. */
struct version {
	char path[PATH_MAX];
	uint64_t generation; /* by its name; 0: of the installed one, which couldn't be read */
	bool is_installed;
	struct table *table; /* NULL: see trouble */
	struct table_facts facts;
	uint64_t same_as; /* an older generation of which it is a copy; 0: none */
	bool has_counts;
	struct compare_counts counts;
	struct error trouble; /* status 0: none */
};

struct history {
	const struct settings *settings;
	struct version *versions; /* the newest first */
	size_t count;
};

/* ---- what there is ------------------------------------------------------------------------ */

static void look_at(struct version *version, const struct settings *settings)
{
	version->table = command_open_path(version->path, settings, &version->trouble);
	if (version->table == NULL)
		return;
	version->facts = *table_facts(version->table);
	if (version->is_installed)
		version->generation = version->facts.generation;
	else if (version->facts.generation != version->generation)
		error_fill(&version->trouble, EX_DATAERR, "%s: has generation %" PRIu64,
			   version->path, version->facts.generation);
}

/* Of the table as it was compiled: the oldest that has the same content. Where that isn't kept any
 * more the table itself tells. */
static void find_source(struct history *history, size_t index)
{
	struct version *version = &history->versions[index];

	version->same_as = version->facts.copy_of;
	for (size_t i = index + 1; i < history->count; i++)
		if (version->table != NULL && history->versions[i].table != NULL &&
		    history->versions[i].facts.body_checksum == version->facts.body_checksum)
			version->same_as = history->versions[i].generation;
}

static void count_changes(struct history *history, size_t index)
{
	struct version *new = &history->versions[index];
	const struct version *old = new + 1;

	if (index + 1 >= history->count || new->table == NULL || old->table == NULL)
		return;
	new->has_counts = compare_tables(old->table, new->table, history->settings, NULL,
					 &new->counts, &new->trouble);
}

static bool history_load(struct history *history, struct error *err)
{
	const char *table = history->settings->table;
	struct kept_tables kept;

	if (!kept_list(table, &kept, err))
		return false;
	history->versions = calloc(kept.count + 1, sizeof(*history->versions));
	if (history->versions == NULL) {
		kept_free(&kept);
		return error_set_memory(err);
	}
	for (size_t i = 0; i <= kept.count; i++) {
		struct version *version = &history->versions[i];

		version->is_installed = i == 0;
		version->generation = i == 0 ? 0 : kept.generations[i - 1];
		if (i == 0)
			(void)snprintf(version->path, PATH_MAX, "%s", table); /* opening tells */
		else
			(void)kept_path(table, version->generation, version->path, NULL);
		look_at(version, history->settings);
	}
	history->count = kept.count + 1;
	kept_free(&kept);
	return true;
}

static void history_free(struct history *history)
{
	for (size_t i = 0; i < history->count; i++)
		table_close(history->versions[i].table);
	free(history->versions);
}

/* ---- for people. Failures of appends are told by text_output_finish(). ---------------------- */

static void put_count(struct buffer *out, const struct version *version, uint64_t count)
{
	if (version->has_counts)
		(void)buffer_append_format(out, " %8" PRIu64, count);
	else
		(void)buffer_append_format(out, " %8s", "-");
}

static void put_version(struct buffer *out, const struct version *version)
{
	char created[PRINT_TIME_ROOM];

	if (version->table == NULL) {
		(void)buffer_append_format(out, "%10" PRIu64 "  can't be read\n",
					   version->generation);
		return;
	}
	print_time(version->facts.created, created);
	(void)buffer_append_format(out, "%10" PRIu64 "  %-20s %10" PRIu64, version->generation,
				   created, version->facts.entries);
	put_count(out, version, version->counts.added);
	put_count(out, version, version->counts.removed);
	put_count(out, version, version->counts.changed);
	if (version->is_installed)
		(void)buffer_append_text(out, "  in use");
	if (version->same_as != 0)
		(void)buffer_append_format(out, "  %" PRIu64 " again", version->same_as);
	(void)buffer_append_byte(out, '\n');
}

/* ---- for programs ---------------------------------------------------------------------- */

static void name_number(struct json *json, const char *name, bool is_known, uint64_t value)
{
	json_name(json, name);
	if (is_known)
		json_number(json, value);
	else
		json_null(json);
}

static void put_json(struct buffer *out, const struct version *version)
{
	bool is_read = version->table != NULL;
	struct json json;

	json_init(&json, out);
	json_object_begin(&json);
	name_number(&json, "generation", version->generation != 0, version->generation);
	json_name(&json, "installed");
	json_boolean(&json, version->is_installed);
	json_name(&json, "file");
	json_string(&json, bytes_of(version->path));
	name_number(&json, "created", is_read, version->facts.created);
	name_number(&json, "entries", is_read, version->facts.entries);
	name_number(&json, "domains", is_read, version->facts.domains);
	name_number(&json, "size_bytes", is_read, version->facts.size_bytes);
	name_number(&json, "added", version->has_counts, version->counts.added);
	name_number(&json, "removed", version->has_counts, version->counts.removed);
	name_number(&json, "changed", version->has_counts, version->counts.changed);
	name_number(&json, "same_as", version->same_as != 0, version->same_as);
	json_name(&json, "error");
	if (version->trouble.status == 0)
		json_null(&json);
	else
		json_string(&json, bytes_of(version->trouble.text));
	json_object_end(&json);
	(void)buffer_append_byte(out, '\n');
}

/* The exit status: what is wrong with the first that something is wrong with. */
static int show_history(struct history *history, const struct options *options)
{
	struct text_output output;
	struct error err;
	int status = EX_OK;

	text_output_init(&output, STDOUT_FILENO);
	if (!options->is_json)
		(void)buffer_append_format(&output.text, "%10s  %-20s %10s %8s %8s %8s\n",
					   "generation", "created", "entries", "added", "removed",
					   "changed");
	for (size_t i = 0; i < history->count; i++) {
		struct version *version = &history->versions[i];

		find_source(history, i);
		if (!options->is_brief)
			count_changes(history, i);
		if (options->is_json)
			put_json(&output.text, version);
		else
			put_version(&output.text, version);
		if (version->trouble.status == 0)
			continue;
		(void)command_fail(&version->trouble); /* its status is remembered */
		if (status == EX_OK)
			status = version->trouble.status;
	}
	return text_output_finish(&output, &err) ? status : command_fail(&err);
}

int command_history(const struct options *options)
{
	struct error err;
	struct settings *settings = command_settings(options, &err);
	struct history history = { .settings = settings };
	int status;

	if (settings == NULL)
		return command_fail(&err);
	status =
		history_load(&history, &err) ? show_history(&history, options) : command_fail(&err);
	history_free(&history);
	settings_free(settings);
	return status;
}

/* ---- rollback ------------------------------------------------------------------------------ */

bool command_generation(const char *text, uint64_t *out_generation, struct error *err)
{
	char *end;

	errno = 0;
	*out_generation = strtoull(text, &end, 10);
	return (text[0] >= '1' && text[0] <= '9' && *end == '\0' && errno == 0) ||
	       error_set(err, EX_USAGE, "%s: is no generation (see `rcptmap history`)", text);
}

/* What is in use now differs from OLD, which may be NULL. No reason to fail: all is done. */
static void put_changes(struct buffer *out, const struct table *old,
			const struct settings *settings)
{
	struct compare_counts counts;
	struct error ignored;
	struct table *new =
		old == NULL ? NULL : command_open_path(settings->table, settings, &ignored);

	if (new != NULL && compare_tables(old, new, settings, NULL, &counts, &ignored))
		(void)buffer_append_format(
			out, "; added %" PRIu64 ", removed %" PRIu64 ", changed %" PRIu64,
			counts.added, counts.removed, counts.changed);
	table_close(new);
}

static int say_done(const struct settings *settings, const struct republished *done,
		    const struct table *old)
{
	struct text_output output;
	struct error err;

	text_output_init(&output, STDOUT_FILENO);
	(void)buffer_append_format(
		&output.text,
		"%s: generation %" PRIu64 " is in use again, as generation "
		"%" PRIu64 ": %" PRIu64 " %s, %" PRIu64 " %s",
		settings->table, done->source, done->made.generation, done->made.entries,
		done->made.entries == 1 ? "entry" : "entries", done->made.domains,
		done->made.domains == 1 ? "domain" : "domains");
	put_changes(&output.text, old, settings);
	(void)buffer_append_byte(&output.text, '\n');
	return text_output_finish(&output, &err) ? EX_OK : command_fail(&err);
}

static int roll_back(const struct options *options, const struct settings *settings,
		     uint64_t generation)
{
	const struct republish_options what = {
		.settings = settings,
		.generation = generation,
		.is_forced = options->is_forced,
		.before_publishing =
			settings->postfix_maps_directory[0] != '\0' ? postfix_maps_write : NULL,
	};
	struct republished done;
	struct error err;
	struct table *old = command_open_path(settings->table, settings, &err);
	int status;

	if (republish(&what, &done, &err)) {
		status = say_done(settings, &done, old);
		if (done.not_kept.status != 0)
			(void)command_fail(&done.not_kept); /* a warning: the table is in use */
	} else {
		status = command_fail(&err);
	}
	table_close(old);
	return status;
}

int command_rollback(const struct options *options)
{
	struct settings *settings;
	uint64_t generation = 0;
	struct error err;
	int status;

	if (options->operand_count > 0 &&
	    !command_generation(options->operands[0], &generation, &err))
		return command_fail(&err);
	settings = command_settings(options, &err);
	if (settings == NULL)
		return command_fail(&err);
	status = roll_back(options, settings, generation);
	settings_free(settings);
	return status;
}

/* ---- diff ---------------------------------------------------------------------------------- */

static int show_diff(const struct table *old, const struct table *new,
		     const struct settings *settings)
{
	struct compare_counts counts = { 0 };
	struct text_output output;
	struct error of_output;
	struct error err;
	bool is_done;

	text_output_init(&output, STDOUT_FILENO);
	is_done = compare_tables(old, new, settings, &output, &counts, &err);
	if (!text_output_finish(&output, &of_output))
		return command_fail(&of_output);
	if (!is_done)
		return command_fail(&err);
	return counts.added + counts.removed + counts.changed > 0 ? 1 : EX_OK;
}

/* OPERAND is a path, or `@N`: the configured table, when it had generation N. */
static struct table *open_operand(const char *operand, const struct settings *settings,
				  struct error *err)
{
	const char *path = operand;
	struct table_facts facts;
	uint64_t generation;
	char kept[PATH_MAX];

	if (operand[0] != '@')
		return command_open_path(operand, settings, err);
	if (!command_generation(operand + 1, &generation, err) ||
	    !kept_path(settings->table, generation, kept, err))
		return NULL;
	path = table_peek(settings->table, &facts, NULL) && facts.generation == generation
		       ? settings->table
		       : kept;
	return command_open_path(path, settings, err);
}

int command_diff(const struct options *options)
{
	struct table *old = NULL;
	struct table *new = NULL;
	struct settings *settings;
	struct error err;
	int status;

	settings = command_settings(options, &err);
	if (settings == NULL)
		return command_fail(&err);
	old = open_operand(options->operands[0], settings, &err);
	if (old != NULL)
		new = open_operand(options->operand_count == 2 ? options->operands[1]
							       : settings->table,
				   settings, &err);
	status = new == NULL ? command_fail(&err) : show_diff(old, new, settings);
	table_close(old);
	table_close(new);
	settings_free(settings);
	return status;
}
