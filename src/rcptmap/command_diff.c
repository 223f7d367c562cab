/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <sysexits.h>
#include <unistd.h>

#include "compare/compare_tables.h"
#include "publish/kept.h"
#include "show/text_output.h"

static int show(const struct table *old, const struct table *new, const struct settings *settings)
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
	status = new == NULL ? command_fail(&err) : show(old, new, settings);
	table_close(old);
	table_close(new);
	settings_free(settings);
	return status;
}
