/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source - one of `sources`: its type, its path, and the members of a database.
 */
#include <stdlib.h>
#include <string.h>

#include "settings/fields.h"

bool settings_type_is_database(const char *type)
{
	static const char *const names[] = { "postgresql", "pgsql",  "mysql",
					     "mariadb",    "sqlite", "ldap" };
	static const char proxy[] = "proxy:";

	if (strncmp(type, proxy, sizeof(proxy) - 1) == 0)
		type += sizeof(proxy) - 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], type) == 0)
			return true;
	return false;
}

const char *settings_source_get(const struct settings_source *source, const char *name)
{
	for (size_t i = 0; i < source->member_count; i++)
		if (strcmp(source->members[i].name, name) == 0)
			return source->members[i].value;
	return NULL;
}

bool settings_source_set(struct settings_source *source, const char *name, const char *value,
			 int line)
{
	struct settings_member *members =
		realloc(source->members, (source->member_count + 1) * sizeof(*members));
	struct settings_member *added;

	if (members == NULL)
		return false;
	source->members = members;
	added = &members[source->member_count];
	*added = (struct settings_member){ strdup(name), strdup(value), line };
	if (added->name == NULL || added->value == NULL) {
		free(added->name);
		free(added->value);
		return false;
	}
	source->member_count++;
	return true;
}

void settings_source_clear(struct settings_source *source)
{
	for (size_t i = 0; i < source->member_count; i++) {
		free(source->members[i].name);
		free(source->members[i].value);
	}
	free(source->members);
	free(source->type);
	free(source->path);
	free(source->file);
	*source = (struct settings_source){ 0 };
}

bool settings_source_add(struct settings *settings, const char *type, const char *path,
			 const char *file, int line)
{
	struct settings_source *sources =
		realloc(settings->sources, (settings->source_count + 1) * sizeof(*sources));
	struct settings_source *added;

	if (sources == NULL)
		return false;
	settings->sources = sources;
	added = &sources[settings->source_count];
	*added = (struct settings_source){
		.type = strdup(type),
		.path = strdup(path),
		.file = strdup(file),
		.line = line,
	};
	if (added->type == NULL || added->path == NULL || added->file == NULL) {
		settings_source_clear(added);
		return false;
	}
	settings->source_count++;
	return true;
}

void settings_sources_clear(struct settings *settings)
{
	for (size_t i = 0; i < settings->source_count; i++)
		settings_source_clear(&settings->sources[i]);
	free(settings->sources);
	settings->sources = NULL;
	settings->source_count = 0;
}

static bool members_equal(const struct settings_source *a, const struct settings_source *b)
{
	if (a->member_count != b->member_count)
		return false;
	for (size_t i = 0; i < a->member_count; i++)
		if (strcmp(a->members[i].name, b->members[i].name) != 0 ||
		    strcmp(a->members[i].value, b->members[i].value) != 0)
			return false;
	return true;
}

bool settings_sources_equal(const struct settings *a, const struct settings *b)
{
	if (a->source_count != b->source_count)
		return false;
	for (size_t i = 0; i < a->source_count; i++)
		if (strcmp(a->sources[i].type, b->sources[i].type) != 0 ||
		    strcmp(a->sources[i].path, b->sources[i].path) != 0 ||
		    !members_equal(&a->sources[i], &b->sources[i]))
			return false;
	return true;
}
