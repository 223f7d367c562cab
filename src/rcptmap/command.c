/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "settings/apart.h"
#include "settings/fields.h"
#include "settings/fragments.h"
#include "sources/source.h"

int command_fail(const struct error *err)
{
	if (err->text[0] != '\0')
		(void)fprintf(stderr, "rcptmap: %s\n", err->text); /* no place to say it failed */
	return err->status;
}

static void print_mistake(const char *text, void *context)
{
	bool *has_printed = context;

	(void)fprintf(stderr, "%s\n", text); /* no place to say it failed */
	*has_printed = true;
}

static void ignore_mistake(const char *text, void *context)
{
	(void)text;
	(void)context;
}

static struct settings *load(const char *path, struct error *err)
{
	bool has_printed = false;
	struct settings *settings = settings_load_apart(path, print_mistake, &has_printed, err);

	if (settings == NULL && has_printed)
		err->text[0] = '\0';
	return settings;
}

/* Of conf.d without the file beside it nothing is read, by nobody; a package may have left it, or
 * the file is lost. Defaults would say nothing of either. */
static struct settings *default_settings(const char *path, struct error *err)
{
	struct settings_list folders = { 0 }, fragments = { 0 };
	struct settings *settings = NULL;
	char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));

	if (folder == NULL) {
		error_fill_memory(err);
	} else if (fragments_find(folder, &folders, &fragments, err)) {
		settings = fragments.count == 0 ? settings_new() : NULL;
		if (fragments.count > 0)
			error_fill(err, EX_NOINPUT,
				   "%s is missing; without it %s and its like are not read", path,
				   fragments.items[0]);
		else if (settings == NULL)
			error_fill_memory(err);
	}
	settings_list_free(&folders);
	settings_list_free(&fragments);
	free(folder);
	return settings;
}

struct settings *command_default_settings(const char *path, struct error *err)
{
	struct stat status;

	/* A link to what isn't there, as to what isn't mounted, is a mistake. */
	if (lstat(path, &status) != 0 && errno == ENOENT)
		return default_settings(path, err);
	return load(path, err);
}

struct settings *command_settings(const struct options *options, struct error *err)
{
	return options->configuration != NULL
		       ? load(options->configuration, err)
		       : command_default_settings(SETTINGS_DEFAULT_FILE, err);
}

struct table *command_open_path(const char *path, const struct settings *settings,
				struct error *err)
{
	uid_t owner = (uid_t)-1;

	if (settings != NULL && !settings_table_owner(settings, &owner, err))
		return NULL;
	/* Mapped: a tool that ends after a few answers needn't copy gigabytes first. */
	return table_open(path, owner, TABLE_MAPPED, err);
}

struct table *command_open_table(const struct options *options, struct error *err)
{
	struct settings *settings;
	struct table *table;

	if (options->table != NULL && options->configuration == NULL) {
		struct error ignored;

		settings =
			settings_load_apart(SETTINGS_DEFAULT_FILE, ignore_mistake, NULL, &ignored);
	} else {
		settings = command_settings(options, err);
		if (settings == NULL)
			return NULL;
	}
	table = command_open_path(options->table != NULL ? options->table : settings->table,
				  settings, err);
	settings_free(settings);
	return table;
}

/* Where the type in front of the colon ends, or 0 where there is none: `./a:b` is a file. */
static size_t type_size(const char *text)
{
	static const char proxy[] = "proxy:";
	size_t begin = strncmp(text, proxy, sizeof(proxy) - 1) == 0 ? sizeof(proxy) - 1 : 0;
	size_t size = begin + strspn(text + begin, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return text[size] == ':' ? size : 0;
}

/* The type in front of FILE, or `virtual`; that of a table of Postfix by its own name. */
static char *copy_type(const char *text, size_t size)
{
	const struct source_type *found;
	char *type = size == 0 ? strdup("virtual") : strndup(text, size);

	if (type == NULL)
		return NULL;
	found = source_type_find(type);
	if (found == NULL)
		return type;
	free(type);
	return strdup(found->name);
}

bool command_is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

bool command_source(const char *text, struct settings_source *out_source, struct error *err)
{
	size_t size = type_size(text);
	struct settings_source source = { 0 };

	source.type = copy_type(text, size);
	source.path = strdup(size == 0 ? text : text + size + 1);
	if (source.type == NULL || source.path == NULL) {
		settings_source_clear(&source);
		return error_set_memory(err);
	}
	if (source_type_find(source.type) == NULL) {
		error_fill(err, EX_USAGE, "%s: there is no source type %s, only " SOURCE_TYPES,
			   text, source.type);
		settings_source_clear(&source);
		return false;
	}
	if (source.path[0] == '\0') {
		error_fill(err, EX_USAGE, "%s: the file is missing behind the type", text);
		settings_source_clear(&source);
		return false;
	}
	if (strcmp(source.path, "-") == 0) {
		error_fill(err, EX_USAGE, "%s: standard input is no source: one may be read twice",
			   text);
		settings_source_clear(&source);
		return false;
	}
	*out_source = source;
	return true;
}
