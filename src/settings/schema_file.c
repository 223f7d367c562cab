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

static void take(struct schema_reader *schema, const config_setting_t *setting, const char *prefix)
{
	const char *name = config_setting_name(setting);
	char full[NAME_BYTES];
	const char *text;

	/* libconfig doesn't look whether it could copy a name. */
	if (name == NULL) {
		reader_complain_memory(&schema->reader);
		return;
	}
	if (!is_own(schema, setting))
		return;
	text = text_of(schema, setting);
	(void)snprintf(full, sizeof(full), "%s%s", prefix, name); /* cut: nobody finds it */
	if (text != NULL && !settings_source_set(schema->content, full, text,
						 (int)config_setting_source_line(setting)))
		reader_complain_memory(&schema->reader);
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
