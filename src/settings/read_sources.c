/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read_sources - `sources` of the configuration.
 *
 * The compiler knows which types there are, and what the members of a database mean: here is only
 * seen to it that a source of text has a type and a path and nothing else, and that a database's
 * members are texts, numbers or truth values.
 */
#include <stdlib.h>
#include <string.h>

#include "settings/fields.h"
#include "settings/reader.h"

enum { NUMBER_BYTES = 24 };

/* Only the form of the name is checked: names with colons between them, as in `proxy:hash`. */
static bool is_type_name(const char *name)
{
	return name[0] >= 'a' && name[0] <= 'z' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-:")] == '\0';
}

static struct settings_source *add_source(struct reader *reader, const config_setting_t *setting,
					  const char *type, const char *path)
{
	struct settings *settings = reader->settings;
	char *absolute = NULL;
	const char *file = config_setting_source_file(setting);
	int line = (int)config_setting_source_line(setting);
	bool is_added;

	if (file == NULL)
		file = reader->path;

	if (path[0] == '/' || path[0] == '\0')
		absolute = strdup(path);
	else if (asprintf(&absolute, "%s/%s", reader->folder, path) < 0)
		absolute = NULL;
	is_added = absolute != NULL && settings_source_add(settings, type, absolute, file, line);
	free(absolute);
	if (is_added)
		return &settings->sources[settings->source_count - 1];
	reader_complain_memory(reader);
	return NULL;
}

/* ---- members of a database ----------------------------------------------------------------- */

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* The value of MEMBER as a text, in ROOM if it is a number; NULL: it is of another type. */
static const char *value_of(const config_setting_t *member, char room[NUMBER_BYTES])
{
	switch (config_setting_type(member)) {
	case CONFIG_TYPE_STRING:
		return config_setting_get_string(member);
	case CONFIG_TYPE_BOOL:
		return config_setting_get_bool(member) != 0 ? "true" : "false";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		(void)snprintf(room, NUMBER_BYTES, "%lld", config_setting_get_int64(member));
		return room;
	default:
		return NULL;
	}
}

static void take_member(struct reader *reader, const config_setting_t *member,
			struct settings_source *source)
{
	const char *name = config_setting_name(member);
	int line = (int)config_setting_source_line(member);
	char room[NUMBER_BYTES];
	const char *value = value_of(member, room);

	if (strcmp(name, "password") == 0)
		COMPLAIN(reader, member,
			 "sources: no password may stand here, where everybody who reads the "
			 "configuration sees it; put it into a file, and its path into "
			 "password_file");
	else if (value == NULL)
		COMPLAIN(reader, member, "sources: %s must be a text, a number, true or false",
			 name);
	else if (has_control(value))
		COMPLAIN(reader, member,
			 "sources: %s has a control character; a long text may be several texts in "
			 "quotes, one behind the other",
			 name);
	else if (!settings_source_set(source, name, value, line))
		reader_complain_memory(reader);
}

static void take_database(struct reader *reader, const config_setting_t *setting, const char *type)
{
	const char *path = "";
	struct settings_source *source;

	if (config_setting_get_member(setting, "path") != NULL &&
	    (!config_setting_lookup_string(setting, "path", &path) || path[0] == '\0')) {
		COMPLAIN(reader, setting, "sources: the path of a source must be a text");
		return;
	}
	source = add_source(reader, setting, type, path);
	for (int i = 0; source != NULL && i < config_setting_length(setting); i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
		const char *name = config_setting_name(member);

		if (strcmp(name, "type") != 0 && strcmp(name, "path") != 0)
			take_member(reader, member, source);
	}
	if (source != NULL && path[0] == '\0' && source->member_count == 0)
		COMPLAIN(reader, setting,
			 "sources: a database needs a path, of a table file of Postfix, or members "
			 "that say what to ask");
}

/* ---- one source ---------------------------------------------------------------------------- */

static bool has_only_known_members(struct reader *reader, const config_setting_t *setting)
{
	bool is_good = true;

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member = config_setting_get_elem(setting, (unsigned)i);
		const char *name = config_setting_name(member);

		if (strcmp(name, "type") == 0 || strcmp(name, "path") == 0)
			continue;
		COMPLAIN(reader, member, "unknown setting \"%s\" in a source", name);
		is_good = false;
	}
	return is_good;
}

/* libconfig doesn't look whether it could copy a name. */
static bool has_all_names(struct reader *reader, const config_setting_t *setting)
{
	for (int i = 0; i < config_setting_length(setting); i++) {
		if (config_setting_name(config_setting_get_elem(setting, (unsigned)i)) != NULL)
			continue;
		reader_complain_memory(reader);
		return false;
	}
	return true;
}

static void take_source(struct reader *reader, const config_setting_t *setting)
{
	const char *type = "", *path;
	bool is_database;

	if (!config_setting_is_group(setting)) {
		COMPLAIN(reader, setting,
			 "sources: each must be a group, as in { type = \"virtual\"; "
			 "path = \"virtual\"; }");
		return;
	}
	if (!has_all_names(reader, setting))
		return;
	(void)config_setting_lookup_string(setting, "type", &type); /* else it stays empty */
	is_database = settings_type_is_database(type);
	if (!is_database && !has_only_known_members(reader, setting))
		return;
	if (!is_type_name(type))
		COMPLAIN(reader, setting, "sources: a source has no type, or it is no name");
	else if (is_database)
		take_database(reader, setting, type);
	else if (!config_setting_lookup_string(setting, "path", &path) || path[0] == '\0')
		COMPLAIN(reader, setting, "sources: a source has no path");
	else
		(void)add_source(reader, setting, type, path); /* has complained */
}

void reader_take_sources(struct reader *reader, const config_setting_t *setting)
{
	bool is_list = config_setting_is_list(setting) ||
		       (config_setting_is_array(setting) && config_setting_length(setting) == 0);

	if (!reader->is_fragment)
		settings_sources_clear(reader->settings);
	if (!is_list) {
		COMPLAIN(reader, setting, "sources: must be a list in round brackets");
		return;
	}
	for (int i = 0; i < config_setting_length(setting); i++)
		take_source(reader, config_setting_get_elem(setting, (unsigned)i));
}
