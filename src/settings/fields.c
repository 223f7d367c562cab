/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/fields.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name) .offset = offsetof(struct settings, name)
#define RELOAD      SETTINGS_RELOAD
#define REEXEC      SETTINGS_REEXEC
#define RESTART     SETTINGS_RESTART
#define COMPILE     SETTINGS_COMPILE

/* settings_word() reads and writes every enum as an unsigned number. */
#define IS_UNSIGNED(type) _Generic((type *)NULL, unsigned * : true, default : false)
#define WORD(name, field, value, choices, time, help)                                              \
	_Static_assert(IS_UNSIGNED(enum settings_##field), "enum of another integer type");
#include "settings/settings.def"

#define CHOICE(value, word) [value] = (word),
#define WORD(name, field, value, choices, time, help)                                              \
	static const char *const field##_words[] = { choices NULL };
#include "settings/settings.def"

#define CHOICE(value, word) " " word

static const struct settings_field rows[] = {
#define TEXT(name, field, value, time, help)                                                       \
	{ .path = (name),                                                                          \
	  .kind = SETTINGS_TEXT,                                                                   \
	  FIELD(field),                                                                            \
	  .initial_text = (value),                                                                 \
	  .when = (time) },
#define WORD(name, field, value, choices, time, help)                                              \
	{ .path = (name),                                                                          \
	  .kind = SETTINGS_WORD,                                                                   \
	  FIELD(field),                                                                            \
	  .initial = (value),                                                                      \
	  .words = field##_words,                                                                  \
	  .all_words = (choices),                                                                  \
	  .when = (time) },
#define BOOL(name, field, value, time, help)                                                       \
	{ .path = (name), .kind = SETTINGS_BOOL, FIELD(field), .initial = (value), .when = (time) },
#define NUMBER(name, field, value, low, high, time, help)                                          \
	{ .path = (name),                                                                          \
	  .kind = SETTINGS_NUMBER,                                                                 \
	  FIELD(field),                                                                            \
	  .initial = (value),                                                                      \
	  .least = (low),                                                                          \
	  .most = (high),                                                                          \
	  .when = (time) },
#define LIMIT(...) NUMBER(__VA_ARGS__)
#define LIST(name, field, time, help)                                                              \
	{ .path = (name), .kind = SETTINGS_LIST, FIELD(field), .when = (time) },
#include "settings/settings.def"
};

size_t settings_field_count(void)
{
	return sizeof(rows) / sizeof(rows[0]);
}

const struct settings_field *settings_field(size_t index)
{
	return index < settings_field_count() ? &rows[index] : NULL;
}

static void *field_of(const struct settings_field *row, const struct settings *settings)
{
	return (char *)(uintptr_t)settings + row->offset;
}

char **settings_text(const struct settings_field *row, const struct settings *settings)
{
	return field_of(row, settings);
}

unsigned *settings_word(const struct settings_field *row, const struct settings *settings)
{
	return field_of(row, settings);
}

bool *settings_bool(const struct settings_field *row, const struct settings *settings)
{
	return field_of(row, settings);
}

size_t *settings_number(const struct settings_field *row, const struct settings *settings)
{
	return field_of(row, settings);
}

struct settings_list *settings_list(const struct settings_field *row,
				    const struct settings *settings)
{
	return field_of(row, settings);
}

bool settings_find_word(const struct settings_field *row, const char *word, unsigned *out_value)
{
	for (unsigned i = 0; row->words[i] != NULL; i++) {
		if (strcmp(row->words[i], word) != 0)
			continue;
		*out_value = i;
		return true;
	}
	return false;
}

/* ---- comparing ---------------------------------------------------------------------------- */

static bool lists_equal(const struct settings_list *a, const struct settings_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

bool settings_field_equal(const struct settings_field *row, const struct settings *a,
			  const struct settings *b)
{
	switch (row->kind) {
	case SETTINGS_TEXT:
		return strcmp(*settings_text(row, a), *settings_text(row, b)) == 0;
	case SETTINGS_WORD:
		return *settings_word(row, a) == *settings_word(row, b);
	case SETTINGS_BOOL:
		return *settings_bool(row, a) == *settings_bool(row, b);
	case SETTINGS_NUMBER:
		return *settings_number(row, a) == *settings_number(row, b);
	case SETTINGS_LIST:
		return lists_equal(settings_list(row, a), settings_list(row, b));
	}
	return false;
}

/* ---- making and ending --------------------------------------------------------------------- */

bool settings_list_add(struct settings_list *list, const char *item)
{
	char **items = realloc(list->items, (list->count + 1) * sizeof(*items));

	if (items == NULL)
		return false;
	list->items = items;
	items[list->count] = strdup(item);
	if (items[list->count] == NULL)
		return false;
	list->count++;
	return true;
}

static bool set_initial(const struct settings_field *row, struct settings *settings)
{
	switch (row->kind) {
	case SETTINGS_TEXT:
		*settings_text(row, settings) = strdup(row->initial_text);
		return *settings_text(row, settings) != NULL;
	case SETTINGS_WORD:
		*settings_word(row, settings) = (unsigned)row->initial;
		break;
	case SETTINGS_BOOL:
		*settings_bool(row, settings) = row->initial != 0;
		break;
	case SETTINGS_NUMBER:
		*settings_number(row, settings) = (size_t)row->initial;
		break;
	case SETTINGS_LIST:
		break;
	}
	return true;
}

struct settings *settings_new(void)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	bool is_done = settings != NULL;

	for (size_t i = 0; is_done && i < settings_field_count(); i++)
		is_done = set_initial(&rows[i], settings);
	if (is_done && settings_source_add(settings, "virtual", OPENRCPT_SOURCE, "", 0))
		return settings;
	settings_free(settings);
	return NULL;
}

void settings_list_free(struct settings_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

static void free_row(const struct settings_field *row, struct settings *settings)
{
	switch (row->kind) {
	case SETTINGS_TEXT:
		free(*settings_text(row, settings));
		break;
	case SETTINGS_LIST:
		settings_list_free(settings_list(row, settings));
		break;
	case SETTINGS_WORD:
	case SETTINGS_BOOL:
	case SETTINGS_NUMBER:
		break;
	}
}

void settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	for (size_t i = 0; i < settings_field_count(); i++)
		free_row(&rows[i], settings);
	settings_sources_clear(settings);
	settings_list_free(&settings->included);
	free(settings->file);
	free(settings);
}
