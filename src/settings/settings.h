/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings - the libconfig file as a plain struct, checked.
 *
 * One row of settings.def is one setting: its field here, its check, its line in `rcptmap config`,
 * its paragraph in openrcpt.conf(5). An unknown setting, a wrong type, a value out of range is an
 * error with file and line. Never changes after settings_load(): share it between threads.
 */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"
#include "resolve/limits.h"

/* What a WORD may be: enum settings_load { SETTINGS_LOAD_COPY, … }, and so on. */
#define CHOICE(value, word)                             value,
#define WORD(path, field, initial, choices, when, help) enum settings_##field{ choices };
#include "settings/settings.def"

struct settings_list {
	char **items;
	size_t count;
};

/* What a database's source has beside type and path; whoever reads the type judges the name. */
struct settings_member {
	char *name;
	char *value; /* a number in decimal; "true" or "false" */
	int line;
};

/* One of `sources`; or FILE and TYPE:FILE on rcptmap's command line. */
struct settings_source {
	char *type; /* "virtual", … */
	char *path; /* empty: none, which only a database may have */
	char *file; /* of the configuration where it stands; NULL or empty: not from there */
	int line;   /* in that file; 0: not from there */
	struct settings_member *members;
	size_t member_count;
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order of settings.def */
struct settings {
#define TEXT(path, field, initial, when, help)                char *field;
#define WORD(path, field, initial, choices, when, help)       enum settings_##field field;
#define BOOL(path, field, initial, when, help)                bool field;
#define NUMBER(path, field, initial, least, most, when, help) size_t field;
#define LIST(path, field, when, help)                         struct settings_list field;
#include "settings/settings.def"
	struct resolve_limits limits; /* each a LIMIT */
	struct settings_source *sources;
	size_t source_count;
	char *file; /* it was read from; NULL: defaults only */
	/* Paths of the other files that were read; and of the folder where such may be, with a
	 * slash at its end, whether it is there or not. */
	struct settings_list included;
	uid_t table_owner_user; /* see settings_find_table_owner() */
	bool knows_table_owner;
};

/* Where a program looks without -c: configure's sysconfdir. */
#define SETTINGS_DEFAULT_FILE OPENRCPT_CONFIGURATION

/*
 * Read PATH, and behind it `conf.d` beside it: each file there whose name ends in `.conf` and
 * begins with no dot, in the order of the bytes of their names. Sources and lists grow by what they
 * say; whatever else is set twice is an error. All errors are reported, one call of ON_ERROR each
 * (`file:line: text`), not only the first; the result is then NULL and ERR (status 78, 66 if there
 * is no such file, 77 if it can't be read, or others than its owner may write or replace it) the
 * last. End it with settings_free().
 */
struct settings *settings_load(const char *path, void (*on_error)(const char *text, void *context),
			       void *context, struct error *err);

/* All defaults, one source: virtual, OPENRCPT_SOURCE. NULL: no memory. */
struct settings *settings_new(void);
void settings_free(struct settings *settings);

/* Is TYPE one of a database: `postgresql`, `proxy:mysql`? Only such a source has members. */
bool settings_type_is_database(const char *type);

/* The value of the member NAME, or NULL. */
const char *settings_source_get(const struct settings_source *source, const char *name);

/* End what SOURCE has; it may be all zero. */
void settings_source_clear(struct settings_source *source);

enum settings_print {
	SETTINGS_EFFECTIVE,
	SETTINGS_CHANGED, /* only what differs from the default */
};

/* Print as a libconfig file that reads back the same. False: the stream failed. */
bool settings_print(const struct settings *settings, enum settings_print which, FILE *stream);

/* Print the value of the setting NAME alone, as a shell wants it: without quotes, a list one item a
 * line, a source as TYPE:PATH. False: there is no such setting. */
bool settings_print_value(const struct settings *settings, const char *name, FILE *stream);

/*
 * Call ON_CHANGE for each setting that differs between the two and doesn't take effect by a reload:
 * NEEDS is "reexec", "restart" or "compile".
 */
void settings_compare(const struct settings *before, const struct settings *after,
		      void (*on_change)(const char *path, const char *needs, void *context),
		      void *context);

/* Who may own the table beside root and ourselves: the user that `table_owner` names; (uid_t)-1:
 * nobody. Status 78: there is no such user; 71: the system can't tell. */
bool settings_table_owner(const struct settings *settings, uid_t *out_owner, struct error *err);

/* Find that user now, so that settings_table_owner() needn't ask the system, also of what is packed
 * and unpacked: for a process that may ask nobody any more. */
bool settings_find_table_owner(struct settings *settings, struct error *err);

/* The host name that stands for an empty `origin`; from uname(2), folded to lower case. */
const char *settings_origin(const struct settings *settings);

#endif
