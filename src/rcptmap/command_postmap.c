/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buffer.h"

static const char suffix[] = ".table";

/* FILE.table; to a query, a FILE that is called so is the table itself. Free the result. */
static char *table_path(const char *file, bool is_query, struct error *err)
{
	size_t size = strlen(file);
	size_t suffix_size = strlen(suffix);
	char *path;

	if (is_query && size > suffix_size && strcmp(file + size - suffix_size, suffix) == 0)
		suffix_size = 0;
	path = malloc(size + suffix_size + 1);
	if (path == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	memcpy(path, file, size);
	memcpy(path + size, suffix, suffix_size);
	path[size + suffix_size] = '\0';
	return path;
}

static int query_file(const struct options *options, const char *path)
{
	struct options with_table = *options;
	char *key = (char *)options->key;
	struct table *table;
	struct error err;
	int status;

	with_table.table = path;
	table = command_open_table(&with_table, &err);
	if (table == NULL)
		return command_fail(&err);
	status = command_query_keys(table, &key, 1);
	table_close(table);
	return status;
}

/* Who comes from postmap expects that the daemon uses what was made. */
static void tell_place(const struct options *options, const char *path)
{
	struct error err;
	struct settings *settings = command_settings(options, &err);

	/* NULL: no memory, then it stays unsaid. */
	if (settings != NULL && !command_is_same_file(path, settings->table))
		(void)fprintf(stderr, /* no place to say it failed */
			      "rcptmap: made %s; openrcptd reads %s, which is as it was "
			      "(`rcptmap compile` makes that)\n",
			      path, settings->table);
	settings_free(settings);
}

static int compile_file(const struct options *options, char *operand, const char *path)
{
	struct options with_output = *options;
	int status;

	with_output.output = path;
	with_output.operands = &operand;
	with_output.operand_count = 1;
	status = command_compile(&with_output);
	if (status == EX_OK && !options->is_brief)
		tell_place(options, path);
	return status;
}

static int run_file(const struct options *options, char *operand)
{
	struct settings_source source;
	struct error err;
	char *path = NULL;
	int status;

	if (!command_source(operand, &source, &err))
		return command_fail(&err);
	path = table_path(source.path, options->key != NULL, &err);
	if (path == NULL)
		status = command_fail(&err);
	else if (options->key != NULL)
		status = query_file(options, path);
	else
		status = compile_file(options, operand, path);
	free(path);
	settings_source_clear(&source);
	return status;
}

int command_postmap(const struct options *options)
{
	int worst = EX_OK;

	for (int i = 0; i < options->operand_count; i++) {
		int status = run_file(options, options->operands[i]);

		/* postmap asks several files for one key until one of them knows. */
		if (options->key != NULL && status != 1)
			return status;
		if (worst == EX_OK)
			worst = status;
	}
	return worst;
}
