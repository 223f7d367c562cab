/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "settings/check.h"
#include "settings/fields.h"
#include "settings/fragments.h"
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

static bool take(struct reader *reader, size_t row, const config_setting_t *setting)
{
	struct reader_taken *taken =
		reallocarray(reader->taken, reader->taken_count + 1, sizeof(*taken));

	if (taken == NULL) {
		reader_complain_memory(reader);
		return false;
	}
	reader->taken = taken;
	taken[reader->taken_count++] = (struct reader_taken){ row, setting, reader->path };
	return true;
}

/* The file that has set ROW already; NULL: none. */
static const struct reader_taken *find_taken(const struct reader *reader, size_t row)
{
	for (size_t i = 0; i < reader->taken_count; i++)
		if (reader->taken[i].row == row)
			return &reader->taken[i];
	return NULL;
}

/* Lists grow. Of anything else who sees one place mustn't be wrong about what holds. */
static void take_row(struct reader *reader, size_t number, const config_setting_t *setting)
{
	const struct settings_field *row = settings_field(number);
	const struct reader_taken *other = find_taken(reader, number);
	const char *file;

	if (other == NULL || row->kind == SETTINGS_LIST) {
		if (take(reader, number, setting))
			take_value(reader, row, setting);
		return;
	}
	file = config_setting_source_file(other->setting);
	COMPLAIN(reader, setting, "%s: is set in %s:%u already, and may be set once only",
		 row->path, file != NULL ? file : other->path,
		 (unsigned)config_setting_source_line(other->setting));
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
		take_row(reader, i, setting);
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

/* Texts, truth values, and of a list the item of this NUMBER. False: reported. */
static bool check_item(struct reader *reader, const struct settings_field *row, size_t number,
		       const config_setting_t *setting)
{
	struct error detail;

	if (settings_check(row, reader->settings, number, &detail))
		return true;
	if (detail.status == EX_OSERR)
		reader_complain_memory(reader);
	else
		COMPLAIN(reader, setting, "%s", detail.text);
	return false;
}

/* By now all values have their type. A word or number that its row doesn't allow is reported, and
 * the search for errors goes on. BEFORE items of a list are of other files. */
static size_t check_value(struct reader *reader, const struct settings_field *row, size_t before,
			  const config_setting_t *setting)
{
	size_t count = 1;
	bool is_good = true;

	if (row->kind == SETTINGS_WORD)
		take_word(reader, row, setting);
	else if (row->kind == SETTINGS_NUMBER)
		take_number(reader, row, setting);
	else if (row->kind == SETTINGS_LIST)
		count = (size_t)config_setting_length(setting);
	if (row->kind != SETTINGS_WORD && row->kind != SETTINGS_NUMBER)
		for (size_t i = 0; is_good && i < count; i++)
			is_good = check_item(reader, row, before + i, setting);
	return before + count;
}

/* Check this last: whether a value is right may depend on another one. */
static void check_all(struct reader *reader)
{
	for (size_t i = 0; settings_field(i) != NULL; i++) {
		size_t items = 0;

		for (size_t j = 0; j < reader->taken_count; j++) {
			const struct reader_taken *taken = &reader->taken[j];

			reader->path = taken->path;
			if (taken->row == i)
				items = check_value(reader, settings_field(i), items,
						    taken->setting);
		}
	}
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

/* CONFIG is to be destroyed in any case. */
static void read_stream(struct reader *reader, FILE *stream, config_t *config)
{
	struct error included;

	config_init(config);
	config_set_include_dir(config, reader->folder);
	if (config_read(config, stream) != CONFIG_TRUE)
		reader_complain(reader, config_error_file(config),
				(unsigned)config_error_line(config), "%s",
				config_error_text(config));
	else if (!take_included(config, reader->folder, reader->settings, &included))
		reader_complain_error(reader, &included);
	else
		take_all(reader, config);
}

/* ---- the files ---------------------------------------------------------------------------- */

static void read_fragment(struct reader *reader, const char *path, config_t *config)
{
	struct error detail;
	FILE *stream = reader_open(path, &detail);

	reader->path = path;
	reader->is_fragment = true;
	if (stream == NULL) {
		config_init(config);
		reader_complain_error(reader, &detail);
		return;
	}
	if (!settings_list_add(&reader->settings->included, path))
		reader_complain_memory(reader);
	read_stream(reader, stream, config);
	(void)fclose(stream); /* was only read */
}

/* What libconfig made of a file is kept until all is checked. */
static void read_files(struct reader *reader, FILE *stream)
{
	struct settings_list fragments = { 0 };
	struct error detail;
	config_t *configs;

	if (!fragments_find(reader->folder, &reader->settings->included, &fragments, &detail))
		reader_complain_error(reader, &detail);
	configs = calloc(fragments.count + 1, sizeof(*configs));
	if (configs == NULL) {
		reader_complain_memory(reader);
	} else {
		read_stream(reader, stream, &configs[0]);
		for (size_t i = 0; i < fragments.count; i++)
			read_fragment(reader, fragments.items[i], &configs[i + 1]);
		if (!reader->has_failed)
			check_all(reader);
		for (size_t i = 0; i <= fragments.count; i++)
			config_destroy(&configs[i]);
	}
	free(configs);
	settings_list_free(&fragments);
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
		reader_complain_error(&reader, &detail);
		return NULL;
	}
	reader.settings = settings_new();
	reader.folder = folder_of(path);
	if (reader.settings != NULL)
		reader.settings->file = strdup(path);
	if (reader.settings == NULL || reader.settings->file == NULL || reader.folder == NULL)
		reader_complain_memory(&reader);
	else
		read_files(&reader, stream);
	if (!reader.has_failed) {
		result = reader.settings;
		reader.settings = NULL;
	}
	settings_free(reader.settings);
	free(reader.folder);
	free(reader.taken);
	(void)fclose(stream); /* was only read */
	return result;
}
