/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <stdio.h>

#include "base/account.h"
#include "postfix_check/postfix_check.h"

/* Who may own the table that the daemon serves, besides root. */
static uid_t find_owner(const struct settings *settings)
{
	const char *name =
		settings->table_owner[0] != '\0' ? settings->table_owner : settings->user;
	struct account account;

	/* Where nobody can be found, nobody else may. */
	return account_find_user(name, &account, NULL) == ACCOUNT_FOUND ? account.user : (uid_t)-1;
}

static int check(const struct options *options, const struct settings *settings,
		 const struct table *table, const char *path)
{
	const struct postfix_check_options parts = {
		.settings = settings,
		.table = table,
		.table_path = path,
		.postconf = options->postconf,
		.directory = options->postfix_directory,
		.output = stdout,
	};
	struct error err;
	int status = postfix_check(&parts, &err);

	return status > 1 ? command_fail(&err) : status;
}

int command_check_postfix(const struct options *options)
{
	struct error err;
	struct settings *settings = command_settings(options, &err);
	struct table *table;
	const char *path;
	int status;

	if (settings == NULL)
		return command_fail(&err);
	path = options->table != NULL ? options->table : settings->table;
	table = table_open(path, find_owner(settings), TABLE_MAPPED, &err);
	status = table != NULL ? check(options, settings, table, path) : command_fail(&err);
	table_close(table);
	settings_free(settings);
	return status;
}
