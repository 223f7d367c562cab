/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hear - what a module tells of changes, a line each: `doubt TEXT`, `ready`, then for each time
 * that it is waited for `changed` or `none`, and `failed STATUS TEXT` as the last one, behind
 * `anew` with 0.
 *
 *     hear TYPE CONNECTION TABLE... [FUNCTION()...]
 *     hear ldap URI BASE FILTER...
 *     hear entries URI BASE FILTER...     the same, and before each `changed` what did:
 *                                         `any`, `entry PLACE DN MAIL`, `gone PLACE`
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
	switch (news) {
	case DATABASE_NEWS_NONE:
		return puts("none") >= 0;
	case DATABASE_NEWS_CHANGED:
		return puts("changed") >= 0;
	case DATABASE_NEWS_ANEW:
		(void)puts("anew");
		return false;
	default:
		return false;
	}
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
	struct error err = { .status = 0 };
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

static void tell_change(void *context, const struct directory_change *change)
{
	const struct directory_entry *entry = change->entry;

	(void)context;
	if (change->kind == DIRECTORY_CHANGE_ANY) {
		(void)puts("any");
		return;
	}
	if (change->id.size != DIRECTORY_ID_BYTES)
		(void)puts("without a name");
	(void)printf("%s %zu", entry != NULL ? "entry" : "gone", change->search);
	if (entry != NULL)
		(void)printf(" " BYTES_FORMAT, BYTES_ARGS(entry->name));
	for (size_t i = 0; entry != NULL && i < entry->count; i++)
		if (bytes_equal_ascii_nocase(entry->attributes[i].name, bytes_of("mail")))
			(void)printf(" " BYTES_FORMAT, BYTES_ARGS(entry->attributes[i].values[0]));
	(void)putchar('\n');
}

static int hear_directory(const struct directory_module *module, char **words, bool wants_entries)
{
	static const struct directory_hearer hearer = { .on_change = tell_change };
	const struct directory_options options = { .uris = words[0],
						   .bind = DIRECTORY_BIND_EXTERNAL,
						   .connect_timeout_ms = SILENCE_MS,
						   .timeout_ms = SILENCE_MS };
	static const char *const attributes[] = { "mail", NULL };
	struct directory_search searches[SEARCHES_MAX] = { 0 };
	size_t count = 0;
	struct error err = { .status = 0 };
	struct buffer doubt;
	struct directory *directory = module->open(&options, &err);

	for (char **filter = words + 2; *filter != NULL && count < SEARCHES_MAX; filter++)
		searches[count++] = (struct directory_search){ .base = words[1],
							       .filter = *filter,
							       .attributes = attributes };
	buffer_init(&doubt, 1 << 16);
	if (directory == NULL || !module->follow(directory, searches, count,
						 wants_entries ? &hearer : NULL, &doubt, &err))
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
	bool wants_entries;
	struct error err;

	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* or it comes late */
	if (argc < 4)
		return 2;
	wants_entries = strcmp(argv[1], "entries") == 0;
	module = modules_load(wants_entries ? "ldap" : argv[1], &err);
	if (module == NULL)
		return fail(&err);
	return module->directory != NULL
		       ? hear_directory(module->directory, argv + 2, wants_entries)
		       : hear_database(module, argv + 2);
}
