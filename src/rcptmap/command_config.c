/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <stdio.h>
#include <sysexits.h>

#include "settings/nearest.h"

static bool print_settings(const struct settings *settings, enum settings_print which,
			   struct error *err)
{
	/* Flushed even where printing failed: the first error is the one to tell. */
	if (!settings_print(settings, which, stdout) || fflush(stdout) != 0)
		return error_set_errno(err, EX_IOERR, "standard output");
	return true;
}

static bool refuse_name(const char *name, struct error *err)
{
	const char *nearest = settings_nearest_name(name);

	if (nearest == NULL)
		return error_set(err, EX_USAGE, "config: no setting is called %s", name);
	return error_set(err, EX_USAGE, "config: no setting is called %s; did you mean %s?", name,
			 nearest);
}

static bool print_values(const struct settings *settings, const struct options *options,
			 struct error *err)
{
	for (int i = 0; i < options->operand_count; i++)
		if (!settings_print_value(settings, options->operands[i], stdout))
			return refuse_name(options->operands[i], err);
	if (fflush(stdout) != 0)
		return error_set_errno(err, EX_IOERR, "standard output");
	return true;
}

int command_config(const struct options *options)
{
	enum settings_print which = options->is_brief ? SETTINGS_CHANGED : SETTINGS_EFFECTIVE;
	struct settings *settings;
	struct error err;
	bool is_printed;

	if (options->is_brief && (options->wants_defaults || options->operand_count > 0)) {
		error_fill(&err, EX_USAGE, "config: -n and %s exclude each other",
			   options->wants_defaults ? "-d" : "NAME");
		return command_fail(&err);
	}
	if (options->wants_defaults) {
		settings = settings_new();
		if (settings == NULL)
			error_fill_memory(&err);
	} else {
		settings = command_settings(options, &err);
	}
	if (settings == NULL)
		return command_fail(&err);
	is_printed = options->operand_count > 0 ? print_values(settings, options, &err)
						: print_settings(settings, which, &err);
	settings_free(settings);
	return is_printed ? EX_OK : command_fail(&err);
}
