/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "settings/check.h"
#include "settings/fields.h"
#include "settings/nearest.h"
#include "settings/reader.h"

/* ---- errors ------------------------------------------------------------------------------- */

static void complain_unknown(struct reader *reader, const config_setting_t *setting,
			     const char *path)
{
	const char *nearest = settings_nearest_name(path);

	if (nearest != NULL)
		COMPLAIN(reader, setting, "unknown setting \"%s\"; did you mean \"%s\"?", path,
			 nearest);
	else
		COMPLAIN(reader, setting, "unknown setting \"%s\"", path);
}

/* ---- values ------------------------------------------------------------------------------- */

static bool is_text(struct reader *reader, const struct settings_field *row,
		    const config_setting_t *setting)
{
	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		return true;
	COMPLAIN(reader, setting, "%s: must be a text in quotes", row->path);
	return false;
}

static void take_text(struct reader *reader, const struct settings_field *row,
		      const config_setting_t *setting)
{
	char *copy;

	if (!is_text(reader, row, setting))
		return;
	copy = strdup(config_setting_get_string(setting));
	if (copy == NULL) {
		reader_complain_memory(reader);
		return;
	}
	free(*settings_text(row, reader->settings));
	*settings_text(row, reader->settings) = copy;
}

static void take_word(struct reader *reader, const struct settings_field *row,
		      const config_setting_t *setting)
{
	const char *word = config_setting_get_string(setting);

	if (!settings_find_word(row, word, settings_word(row, reader->settings)))
		COMPLAIN(reader, setting, "%s: \"%s\" is none of:%s", row->path, word,
			 row->all_words);
}

static void take_number(struct reader *reader, const struct settings_field *row,
			const config_setting_t *setting)
{
	long long number = config_setting_get_int64(setting);

	if (number < row->least || number > row->most)
		COMPLAIN(reader, setting, "%s: %lld is not from %ld to %ld", row->path, number,
			 row->least, row->most);
	else
		*settings_number(row, reader->settings) = (size_t)number;
}

static void take_list(struct reader *reader, const struct settings_field *row,
		      const config_setting_t *setting)
{
	bool is_list = config_setting_is_array(setting) || config_setting_is_list(setting);
	int count = is_list ? config_setting_length(setting) : 0;

	for (int i = 0; is_list && i < count; i++) {
		const char *item = config_setting_get_string_elem(setting, i);

		if (item == NULL)
			is_list = false;
		else if (!settings_list_add(settings_list(row, reader->settings), item))
			reader_complain_memory(reader);
	}
	if (!is_list)
		COMPLAIN(reader, setting, "%s: must be a list of texts, as in [ \"a\", \"b\" ]",
			 row->path);
}

static bool is_number(const config_setting_t *setting)
{
	int type = config_setting_type(setting);

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

/* Words and numbers only have to have the right type: check_value() takes them. */
static void take_value(struct reader *reader, const struct settings_field *row,
		       const config_setting_t *setting)
{
	switch (row->kind) {
	case SETTINGS_TEXT:
		take_text(reader, row, setting);
		break;
	case SETTINGS_WORD:
		(void)is_text(reader, row, setting); /* has complained */
		break;
	case SETTINGS_BOOL:
		if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
			COMPLAIN(reader, setting, "%s: must be true or false", row->path);
		else
			*settings_bool(row, reader->settings) =
				config_setting_get_bool(setting) != 0;
		break;
	case SETTINGS_NUMBER:
		if (!is_number(setting))
			COMPLAIN(reader, setting, "%s: must be a whole number", row->path);
		break;
	case SETTINGS_LIST:
		take_list(reader, row, setting);
		break;
	}
}

/* ---- the tree ----------------------------------------------------------------------------- */

static bool is_group_name(const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; settings_field(i) != NULL; i++)
		if (strncmp(settings_field(i)->path, name, size) == 0 &&
		    settings_field(i)->path[size] == '.')
			return true;
	return false;
}

/* A setting of GROUP, or with "" of none. */
static void take_setting(struct reader *reader, config_setting_t *setting, const char *group)
{
	const char *name = config_setting_name(setting);
	char path[2 * PATH_MAX];

	/* libconfig doesn't look whether it could copy a name. */
	if (name == NULL) {
		reader_complain_memory(reader);
		return;
	}
	(void)snprintf(path, sizeof(path), "%s%s%s", group, group[0] != '\0' ? "." : "",
		       name); /* one that is cut is unknown */
	for (size_t i = 0; settings_field(i) != NULL; i++) {
		if (strcmp(settings_field(i)->path, path) != 0)
			continue;
		reader->seen[i] = setting;
		take_value(reader, settings_field(i), setting);
		return;
	}
	complain_unknown(reader, setting, path);
}

static void take_group(struct reader *reader, const config_setting_t *group, const char *name)
{
	if (!config_setting_is_group(group)) {
		COMPLAIN(reader, group, "%s: must be a group, as in %s = { ... }", name, name);
		return;
	}
	for (int i = 0; i < config_setting_length(group); i++)
		take_setting(reader, config_setting_get_elem(group, (unsigned)i), name);
}

/* By now all values have their type. A word or number that its row doesn't allow is reported, and
 * the search for errors goes on. */
static void check_value(struct reader *reader, const struct settings_field *row,
			const config_setting_t *setting)
{
	struct error detail;

	if (row->kind == SETTINGS_WORD)
		take_word(reader, row, setting);
	else if (row->kind == SETTINGS_NUMBER)
		take_number(reader, row, setting);
	else if (settings_check(row, reader->settings, &detail))
		return;
	else if (detail.status == EX_OSERR)
		reader_complain_memory(reader);
	else
		COMPLAIN(reader, setting, "%s", detail.text);
}

static void take_all(struct reader *reader, const config_t *config)
{
	const config_setting_t *root = config_root_setting(config);

	for (int i = 0; i < config_setting_length(root); i++) {
		config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(setting);

		if (name != NULL && strcmp(name, "sources") == 0)
			reader_take_sources(reader, setting);
		else if (name != NULL && is_group_name(name))
			take_group(reader, setting, name);
		else
			take_setting(reader, setting, "");
	}
	if (reader->has_failed)
		return;
	/* Check this last: whether a value is right may depend on another one. */
	for (size_t i = 0; settings_field(i) != NULL; i++)
		if (reader->seen[i] != NULL)
			check_value(reader, settings_field(i), reader->seen[i]);
}

/* ---- the file ----------------------------------------------------------------------------- */

#if LIBCONFIG_COUNTS_FILES
#define FILES_READ(config) ((config)->num_filenames)
#else
#define FILES_READ(config) UINT_MAX
#endif

/* The INDEXth file that libconfig has read; NULL behind the last. How the list ends depends on
 * the version, and configure has looked. */
static const char *file_read(const config_t *config, unsigned index)
{
	return config->filenames == NULL || index >= FILES_READ(config) ? NULL
									: config->filenames[index];
}

/* An included file counts as much as the file itself. Newer libconfigs give the whole path of an
 * included file, older ones only the text behind @include. */
static bool take_included(const config_t *config, const char *folder, struct settings *settings,
			  struct error *err)
{
	bool is_good = true;
	const char *name;

	for (unsigned i = 0; is_good && (name = file_read(config, i)) != NULL; i++) {
		struct stat status;
		char *path;

		if (asprintf(&path, "%s%s%s", name[0] == '/' ? "" : folder,
			     name[0] == '/' ? "" : "/", name) < 0)
			return error_set_memory(err);
		if (stat(path, &status) != 0)
			is_good = error_set_errno(err, EX_NOPERM, "%s", path);
		else
			is_good = reader_may_trust(path, &status, err) &&
				  (settings_list_add(&settings->included, path) ||
				   error_set_memory(err));
		free(path);
	}
	return is_good;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
	char *absolute = folder == NULL ? NULL : realpath(folder, NULL);

	free(folder);
	return absolute;
}

/* False: something was reported, to ERR at least. */
static bool read_stream(struct reader *reader, FILE *stream)
{
	config_t config;
	struct error included;

	config_init(&config);
	config_set_include_dir(&config, reader->folder);
	if (config_read(&config, stream) != CONFIG_TRUE) {
		reader_complain(reader, config_error_file(&config),
				(unsigned)config_error_line(&config), "%s",
				config_error_text(&config));
	} else if (!take_included(&config, reader->folder, reader->settings, &included)) {
		if (reader->on_error != NULL)
			reader->on_error(included.text, reader->context);
		if (reader->err != NULL)
			*reader->err = included;
		reader->has_failed = true;
	} else {
		take_all(reader, &config);
	}
	config_destroy(&config);
	return !reader->has_failed;
}

struct settings *settings_load(const char *path, void (*on_error)(const char *text, void *context),
			       void *context, struct error *err)
{
	struct reader reader = {
		.path = path, .on_error = on_error, .context = context, .err = err
	};
	struct settings *result = NULL;
	struct error detail;
	FILE *stream = reader_open(path, &detail);

	if (stream == NULL) {
		if (err != NULL)
			*err = detail;
		if (on_error != NULL)
			on_error(detail.text, context);
		return NULL;
	}
	reader.settings = settings_new();
	reader.folder = folder_of(path);
	reader.seen = calloc(settings_field_count(), sizeof(config_setting_t *));
	if (reader.settings != NULL)
		reader.settings->file = strdup(path);
	if (reader.settings == NULL || reader.settings->file == NULL || reader.folder == NULL ||
	    reader.seen == NULL)
		reader_complain_memory(&reader);
	else if (read_stream(&reader, stream)) {
		result = reader.settings;
		reader.settings = NULL;
	}
	settings_free(reader.settings);
	free(reader.folder);
	free(reader.seen);
	(void)fclose(stream); /* was only read */
	return result;
}
