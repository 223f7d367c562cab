/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hear - what a module tells of changes, a line each: `doubt TEXT`, `ready`, then for each time
 * that it is waited for `changed` or `none`, and `failed STATUS TEXT` as the last one.
 *
 *     hear TYPE CONNECTION TABLE... [FUNCTION()...]
 *     hear ldap URI BASE FILTER...
 *
 * HEAR_BETWEEN in the environment is a command to run when a database is open, and isn't followed
 * yet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database/modules.h"

enum { WAIT_MS = 700, SILENCE_MS = 2000, SEARCHES_MAX = 10, NAMES_MAX = 10 };

static int fail(const struct error *err)
{
	(void)printf("failed %d %s\n", err->status, err->text);
	return 1;
}

static void tell(struct buffer *doubt)
{
	char *rest = NULL;
	char *line = doubt->size == 0 ? NULL : strtok_r(doubt->data, "\n", &rest);

	for (; line != NULL; line = strtok_r(NULL, "\n", &rest))
		(void)printf("doubt %s\n", line);
	(void)puts("ready");
}

static bool tell_news(enum database_news news)
{
	if (news != DATABASE_NEWS_FAILED)
		(void)puts(news == DATABASE_NEWS_CHANGED ? "changed" : "none");
	return news != DATABASE_NEWS_FAILED;
}

/* Those of functions lose their brackets. */
static void divide(char **words, const char **out_tables, const char **out_functions)
{
	for (int i = 0; i < NAMES_MAX && words[i] != NULL; i++) {
		char *brackets = strstr(words[i], "()");

		if (brackets != NULL)
			*brackets = '\0';
		*(brackets != NULL ? out_functions++ : out_tables++) = words[i];
	}
}

static int hear_database(const struct database_module *module, char **words)
{
	const struct database_options options = { .connection = words[0],
						  .connect_timeout_ms = SILENCE_MS,
						  .timeout_ms = SILENCE_MS };
	const char *tables[NAMES_MAX + 1] = { NULL }, *functions[NAMES_MAX + 1] = { NULL };
	const char *between = getenv("HEAR_BETWEEN");
	struct error err;
	struct buffer doubt;
	struct database *database = module->open(&options, &err);

	divide(words + 1, tables, functions);
	buffer_init(&doubt, 1 << 16);
	if (between != NULL && system(between) != 0)
		return 2;
	if (database == NULL || !module->follow(database, tables, functions, &doubt, &err))
		return fail(&err);
	tell(&doubt);
	while (tell_news(module->wait(database, WAIT_MS, &err)))
		continue;
	module->close(database);
	buffer_free(&doubt);
	return fail(&err);
}

static int hear_directory(const struct directory_module *module, char **words)
{
	const struct directory_options options = { .uris = words[0],
						   .bind = DIRECTORY_BIND_EXTERNAL,
						   .connect_timeout_ms = SILENCE_MS,
						   .timeout_ms = SILENCE_MS };
	static const char *const attributes[] = { "mail", NULL };
	struct directory_search searches[SEARCHES_MAX] = { 0 };
	size_t count = 0;
	struct error err;
	struct buffer doubt;
	struct directory *directory = module->open(&options, &err);

	for (char **filter = words + 2; *filter != NULL && count < SEARCHES_MAX; filter++)
		searches[count++] = (struct directory_search){ .base = words[1],
							       .filter = *filter,
							       .attributes = attributes };
	buffer_init(&doubt, 1 << 16);
	if (directory == NULL || !module->follow(directory, searches, count, &doubt, &err))
		return fail(&err);
	tell(&doubt);
	while (tell_news(module->wait(directory, WAIT_MS, &err)))
		continue;
	module->close(directory);
	buffer_free(&doubt);
	return fail(&err);
}

int main(int argc, char **argv)
{
	const struct database_module *module;
	struct error err;

	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* or it comes late */
	if (argc < 4)
		return 2;
	module = modules_load(argv[1], &err);
	if (module == NULL)
		return fail(&err);
	return module->directory != NULL ? hear_directory(module->directory, argv + 2)
					 : hear_database(module, argv + 2);
}
