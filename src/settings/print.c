/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/settings.h"

#include <pthread.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/bytes.h"
#include "settings/fields.h"

/* Values have no control characters: two bytes are all that needs an escape. */
static void print_text(const char *text, FILE *stream)
{
	(void)putc('"', stream);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)putc('\\', stream);
		(void)putc(*text, stream);
	}
	(void)putc('"', stream);
}

static void print_list(const struct settings_list *list, FILE *stream)
{
	(void)fputs("[", stream);
	for (size_t i = 0; i < list->count; i++) {
		(void)fputs(i == 0 ? " " : ", ", stream);
		print_text(list->items[i], stream);
	}
	(void)fputs(" ]", stream);
}

static void print_value(const struct settings_field *row, const struct settings *settings,
			FILE *stream)
{
	switch (row->kind) {
	case SETTINGS_TEXT:
		print_text(*settings_text(row, settings), stream);
		break;
	case SETTINGS_WORD:
		print_text(row->words[*settings_word(row, settings)], stream);
		break;
	case SETTINGS_BOOL:
		(void)fputs(*settings_bool(row, settings) ? "true" : "false", stream);
		break;
	case SETTINGS_NUMBER:
		(void)fprintf(stream, "%zu", *settings_number(row, settings));
		break;
	case SETTINGS_LIST:
		print_list(settings_list(row, settings), stream);
		break;
	}
}

/* Numbers come out as texts, which mean the same in a source. */
static void print_members(const struct settings_source *source, FILE *stream)
{
	if (source->path[0] != '\0') {
		(void)fputs("path = ", stream);
		print_text(source->path, stream);
		(void)fputs("; ", stream);
	}
	for (size_t i = 0; i < source->member_count; i++) {
		(void)fprintf(stream, "%s = ", source->members[i].name);
		print_text(source->members[i].value, stream);
		(void)fputs("; ", stream);
	}
}

/* Does FILE, which stands in a comment, end that? */
static bool ends_comment(const char *file)
{
	for (; *file != '\0'; file++)
		if ((unsigned char)*file < ' ' || *file == 0x7f)
			return true;
	return false;
}

/* Of a source that another file has added, where it stands. */
static void print_place(const struct settings *settings, const struct settings_source *source,
			FILE *stream)
{
	if (source->file[0] != '\0' && settings->file != NULL &&
	    strcmp(source->file, settings->file) != 0 && !ends_comment(source->file))
		(void)fprintf(stream, "\n    # %s:%d", source->file, source->line);
}

static void print_sources(const struct settings *settings, FILE *stream)
{
	(void)fputs("sources = (", stream);
	for (size_t i = 0; i < settings->source_count; i++) {
		(void)fputs(i == 0 ? "" : ",", stream);
		print_place(settings, &settings->sources[i], stream);
		(void)fputs("\n    { type = ", stream);
		print_text(settings->sources[i].type, stream);
		(void)fputs("; ", stream);
		print_members(&settings->sources[i], stream);
		(void)fputs("}", stream);
	}
	(void)fputs(settings->source_count == 0 ? " );\n" : "\n);\n", stream);
}

/* ---- rows and their groups ----------------------------------------------------------------- */

struct printer {
	const struct settings *settings;
	FILE *stream;
	struct bytes group; /* the one that is open; empty: none */
};

/* "limits" of "limits.expansion"; empty for one that is in no group. */
static struct bytes group_of(const struct settings_field *row)
{
	const char *dot = strchr(row->path, '.');

	return dot == NULL ? bytes_make(NULL, 0) : bytes_make(row->path, (size_t)(dot - row->path));
}

/* Close the group that is open and open GROUP, unless they are one. */
static void turn_to_group(struct printer *printer, struct bytes group)
{
	if (bytes_equal(printer->group, group))
		return;
	if (printer->group.size > 0)
		(void)fputs("};\n", printer->stream);
	if (group.size > 0)
		(void)fprintf(printer->stream, BYTES_FORMAT " = {\n", BYTES_ARGS(group));
	printer->group = group;
}

static void print_row(struct printer *printer, const struct settings_field *row)
{
	struct bytes group = group_of(row);

	turn_to_group(printer, group);
	if (group.size > 0)
		(void)fprintf(printer->stream, "    %s = ", row->path + group.size + 1);
	else
		(void)fprintf(printer->stream, "%s = ", row->path);
	print_value(row, printer->settings, printer->stream);
	(void)fputs(";\n", printer->stream);
}

bool settings_print(const struct settings *settings, enum settings_print which, FILE *stream)
{
	struct settings *initial = settings_new();
	struct printer printer = { .settings = settings, .stream = stream };
	bool prints_all = which == SETTINGS_EFFECTIVE;

	if (initial == NULL)
		return false;
	/* The rows of a group stand together. */
	for (size_t i = 0; settings_field(i) != NULL; i++)
		if (prints_all || !settings_field_equal(settings_field(i), settings, initial))
			print_row(&printer, settings_field(i));
	turn_to_group(&printer, bytes_make(NULL, 0));
	if (prints_all || !settings_sources_equal(settings, initial))
		print_sources(settings, stream);
	settings_free(initial);
	return fflush(stream) == 0 && !ferror(stream);
}

/* ---- one alone ----------------------------------------------------------------------------- */

static void print_bare(const struct settings_field *row, const struct settings *settings,
		       FILE *stream)
{
	const struct settings_list *list;

	switch (row->kind) {
	case SETTINGS_TEXT:
		(void)fprintf(stream, "%s\n", *settings_text(row, settings));
		break;
	case SETTINGS_WORD:
		(void)fprintf(stream, "%s\n", row->words[*settings_word(row, settings)]);
		break;
	case SETTINGS_BOOL:
	case SETTINGS_NUMBER:
		print_value(row, settings, stream);
		(void)putc('\n', stream);
		break;
	case SETTINGS_LIST:
		list = settings_list(row, settings);
		for (size_t i = 0; i < list->count; i++)
			(void)fprintf(stream, "%s\n", list->items[i]);
		break;
	}
}

/* Its path; or of a database without one its name. */
static const char *source_place(const struct settings_source *source)
{
	const char *name = settings_source_get(source, "name");

	return source->path[0] != '\0' ? source->path : name != NULL ? name : "main";
}

bool settings_print_value(const struct settings *settings, const char *name, FILE *stream)
{
	if (strcmp(name, "sources") == 0) {
		for (size_t i = 0; i < settings->source_count; i++)
			(void)fprintf(stream, "%s:%s\n", settings->sources[i].type,
				      source_place(&settings->sources[i]));
		return true;
	}
	for (size_t i = 0; settings_field(i) != NULL; i++) {
		if (strcmp(settings_field(i)->path, name) != 0)
			continue;
		print_bare(settings_field(i), settings, stream);
		return true;
	}
	return false;
}

/* ---- comparing ----------------------------------------------------------------------------- */

void settings_compare(const struct settings *before, const struct settings *after,
		      void (*on_change)(const char *path, const char *needs, void *context),
		      void *context)
{
	static const char *const words[] = {
		[SETTINGS_REEXEC] = "reexec",
		[SETTINGS_RESTART] = "restart",
		[SETTINGS_COMPILE] = "compile",
	};

	for (size_t i = 0; settings_field(i) != NULL; i++) {
		const struct settings_field *row = settings_field(i);

		if (row->when != SETTINGS_RELOAD && !settings_field_equal(row, before, after))
			on_change(row->path, words[row->when], context);
	}
	if (!settings_sources_equal(before, after))
		on_change("sources", "compile", context);
}

/* ---- the host's name ----------------------------------------------------------------------- */

static pthread_once_t host_once = PTHREAD_ONCE_INIT;
static char host[sizeof(((struct utsname *)NULL)->nodename)] = "localhost";

static void find_host(void)
{
	struct utsname names;

	if (uname(&names) != 0 || names.nodename[0] == '\0')
		return;
	for (size_t i = 0; i < sizeof(host); i++)
		host[i] = byte_to_lower(names.nodename[i]);
}

const char *settings_origin(const struct settings *settings)
{
	if (settings->origin[0] != '\0')
		return settings->origin;
	(void)pthread_once(&host_once, find_host); /* fails for a bad argument only */
	return host;
}
