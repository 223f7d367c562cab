/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/schema_file.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "settings/fields.h"
#include "settings/reader.h"

enum { NAME_BYTES = 200 };

struct schema_reader {
	struct reader reader;
	const char *type;
	struct settings_source *content;
};

/* A file is one file: what @include would bring nobody has judged. */
static bool is_own(struct schema_reader *schema, const config_setting_t *setting)
{
	if (config_setting_source_file(setting) == NULL)
		return true;
	reader_complain(&schema->reader, NULL, 0, "a schema may not include files");
	return false;
}

/* The text for our type of database: SETTING itself, or its member of that name. */
static const char *text_of(struct schema_reader *schema, const config_setting_t *setting)
{
	const config_setting_t *chosen = setting;
	const char *name = config_setting_name(setting);
	const char *text = NULL;

	if (config_setting_is_group(setting))
		chosen = config_setting_get_member(setting, schema->type);
	if (chosen == NULL)
		COMPLAIN(&schema->reader, setting, "%s: has nothing for databases of type %s", name,
			 schema->type);
	else if (config_setting_type(chosen) != CONFIG_TYPE_STRING)
		COMPLAIN(&schema->reader, chosen,
			 "%s: must be a text, or a group with a text for each type of database",
			 name);
	else {
		text = config_setting_get_string(chosen);
		if (text == NULL) /* libconfig couldn't copy it */
			reader_complain_memory(&schema->reader);
	}
	return text;
}

/* Add TEXT under PREFIX and NAME. */
static void add(struct schema_reader *schema, const config_setting_t *setting, const char *prefix,
		const char *name, const char *text)
{
	char full[NAME_BYTES];

	(void)snprintf(full, sizeof(full), "%s%s", prefix, name); /* cut: nobody finds it */
	if (!settings_source_set(schema->content, full, text,
				 (int)config_setting_source_line(setting)))
		reader_complain_memory(&schema->reader);
}

static void take(struct schema_reader *schema, const config_setting_t *setting, const char *prefix)
{
	const char *name = config_setting_name(setting);
	const char *text;

	/* libconfig doesn't look whether it could copy a name. */
	if (name == NULL) {
		reader_complain_memory(&schema->reader);
		return;
	}
	if (!is_own(schema, setting))
		return;
	text = text_of(schema, setting);
	if (text != NULL)
		add(schema, setting, prefix, name, text);
}

/* ELEMENT of the list NAME; what is for other databases is passed over. */
static void take_element(struct schema_reader *schema, const config_setting_t *element,
			 const char *name)
{
	const config_setting_t *chosen = element;
	const char *text;

	if (config_setting_is_group(element))
		chosen = config_setting_get_member(element, schema->type);
	if (chosen == NULL)
		return;
	if (config_setting_type(chosen) != CONFIG_TYPE_STRING) {
		COMPLAIN(&schema->reader, chosen, "postfix: %s: must be a list of texts", name);
		return;
	}
	text = config_setting_get_string(chosen);
	if (text == NULL) /* libconfig couldn't copy it */
		reader_complain_memory(&schema->reader);
	else
		add(schema, chosen, SCHEMA_FILE_POSTFIX, name, text);
}

static void take_list(struct schema_reader *schema, const config_setting_t *list)
{
	const char *name = config_setting_name(list);

	if (name == NULL) {
		reader_complain_memory(&schema->reader);
		return;
	}
	if (!is_own(schema, list))
		return;
	if (!config_setting_is_array(list) && !config_setting_is_list(list))
		COMPLAIN(&schema->reader, list, "postfix: must have lists of queries");
	for (int i = 0; !schema->reader.has_failed && i < config_setting_length(list); i++)
		take_element(schema, config_setting_get_elem(list, (unsigned)i), name);
}

static void take_postfix(struct schema_reader *schema, const config_setting_t *group)
{
	if (!config_setting_is_group(group))
		COMPLAIN(&schema->reader, group, "postfix: must have lists of queries");
	for (int i = 0; config_setting_is_group(group) && i < config_setting_length(group); i++)
		take_list(schema, config_setting_get_elem(group, (unsigned)i));
}

static void take_group(struct schema_reader *schema, const config_setting_t *group,
		       const char *prefix)
{
	if (!config_setting_is_group(group)) {
		COMPLAIN(&schema->reader, group, "%s: must be a group, as in %s = { ... }",
			 config_setting_name(group), config_setting_name(group));
		return;
	}
	for (int i = 0; i < config_setting_length(group); i++)
		take(schema, config_setting_get_elem(group, (unsigned)i), prefix);
}

static void take_all(struct schema_reader *schema, const config_setting_t *root)
{
	for (int i = 0; i < config_setting_length(root) && !schema->reader.has_failed; i++) {
		const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(setting);

		if (name != NULL && strcmp(name, "parameters") == 0)
			take_group(schema, setting, SCHEMA_FILE_PARAMETER);
		else if (name != NULL && strcmp(name, "words") == 0)
			take_group(schema, setting, SCHEMA_FILE_WORD);
		else if (name != NULL && strcmp(name, "postfix") == 0)
			take_postfix(schema, setting);
		else
			take(schema, setting, "");
	}
}

bool schema_file_read(const char *path, const char *type, struct settings_source *out_content,
		      struct error *err)
{
	struct schema_reader schema = {
		.reader = { .path = path, .err = err },
		.type = type,
		.content = out_content,
	};
	FILE *stream;
	config_t config;

	*out_content = (struct settings_source){ 0 };
	stream = reader_open(path, err);
	if (stream == NULL)
		return false;
	config_init(&config);
	if (config_read(&config, stream) != CONFIG_TRUE)
		reader_complain(&schema.reader, config_error_file(&config),
				(unsigned)config_error_line(&config), "%s",
				config_error_text(&config));
	else
		take_all(&schema, config_root_setting(&config));
	config_destroy(&config);
	(void)fclose(stream); /* was only read */
	return !schema.reader.has_failed;
}
