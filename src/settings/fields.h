/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fields - settings.def as a table, for the files of this folder.
 */
#ifndef SETTINGS_FIELDS_H
#define SETTINGS_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "settings/settings.h"

enum settings_kind {
	SETTINGS_TEXT,
	SETTINGS_WORD,
	SETTINGS_BOOL,
	SETTINGS_NUMBER,
	SETTINGS_LIST,
};

enum settings_when { SETTINGS_RELOAD, SETTINGS_REEXEC, SETTINGS_RESTART, SETTINGS_COMPILE };

struct settings_field {
	const char *path; /* "limits.expansion" */
	enum settings_kind kind;
	enum settings_when when;
	size_t offset; /* of the field in struct settings */
	const char *initial_text;
	long initial; /* of WORD, BOOL and NUMBER */
	long least;   /* not below 0 */
	long most;
	const char *const *words; /* by the value of their enum; NULL behind the last */
	const char *all_words;    /* a space before each */
};

/* Walk with settings_field(0), (1), …; NULL behind the last. */
const struct settings_field *settings_field(size_t index);
size_t settings_field_count(void);

char **settings_text(const struct settings_field *row, const struct settings *settings);
unsigned *settings_word(const struct settings_field *row, const struct settings *settings);
bool *settings_bool(const struct settings_field *row, const struct settings *settings);
size_t *settings_number(const struct settings_field *row, const struct settings *settings);
struct settings_list *settings_list(const struct settings_field *row,
				    const struct settings *settings);

/* Is the value of ROW the same in both? */
bool settings_field_equal(const struct settings_field *row, const struct settings *a,
			  const struct settings *b);
bool settings_sources_equal(const struct settings *a, const struct settings *b);

/* Copies of ITEM, or of TYPE, PATH and FILE, become the last one. False: no memory. */
bool settings_list_add(struct settings_list *list, const char *item);
bool settings_source_add(struct settings *settings, const char *type, const char *path,
			 const char *file, int line);
void settings_list_free(struct settings_list *list);
void settings_sources_clear(struct settings *settings);

/* Copies of NAME and VALUE become the last member of SOURCE. False: no memory. */
bool settings_source_set(struct settings_source *source, const char *name, const char *value,
			 int line);

/* The value of WORD; false: ROW has no such word. */
bool settings_find_word(const struct settings_field *row, const char *word, unsigned *out_value);

#endif
