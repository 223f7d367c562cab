/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buffer.h"
#include "settings/schema_file.h"

enum {
	QUERY_BYTES_MAX = 1 << 20,
	NAME_BYTES = 100,
	DEPTH_MAX = 4, /* a word in a word */
};

const char *schema_directory(void)
{
	const char *chosen = secure_getenv("OPENRCPT_SCHEMA_DIRECTORY");

	return chosen != NULL && chosen[0] == '/' ? chosen : OPENRCPT_SCHEMAS;
}

void schema_path(const char *name, char *out_path, size_t size)
{
	if (strchr(name, '/') != NULL)
		(void)snprintf(out_path, size, "%s", name); /* may be cut, as the other one */
	else
		(void)snprintf(out_path, size, "%s/%s.conf", schema_directory(), name);
}

/* ---- the file ----------------------------------------------------------------------------- */

static bool find(const char *name, struct arena *arena, const char **out_path, struct error *err)
{
	const struct bytes parts[] = { bytes_of(schema_directory()), bytes_of("/"), bytes_of(name),
				       bytes_of(".conf") };
	struct bytes path;

	if (strchr(name, '/') != NULL) {
		*out_path = name;
		return name[0] == '/' ||
		       error_set(err, EX_CONFIG, "schema: %s is not an absolute path", name);
	}
	if (!arena_join(arena, parts, sizeof(parts) / sizeof(parts[0]), &path))
		return error_set_memory(err);
	*out_path = path.data;
	return true;
}

/* Whoever waits for changes may look at it. */
static void tell_file(const char *path, const struct report *report)
{
	struct stat status;

	if (report->on_file != NULL && stat(path, &status) == 0)
		report->on_file(path, &status, report->on_file_context);
}

bool schema_load(const char *path, const char *type, const struct settings_source *from,
		 struct schema *out_schema, struct error *err)
{
	*out_schema = (struct schema){ .path = path, .from = from };
	return schema_file_read(path, type, &out_schema->content, err);
}

bool schema_open(const char *name, const char *type, const struct settings_source *from,
		 struct arena *arena, struct report *report, struct schema *out_schema)
{
	const char *path;
	struct error err;

	*out_schema = (struct schema){ .from = from };
	if (find(name, arena, &path, &err)) {
		tell_file(path, report);
		if (schema_load(path, type, from, out_schema, &err))
			return true;
	}
	report_error(report, err.status, NULL, 0, "%s", err.text);
	return false;
}

void schema_close(struct schema *schema)
{
	settings_source_clear(&schema->content);
}

/* The value of NAME behind PREFIX, or NULL. */
static const char *value_of(const struct schema *schema, const char *prefix, struct bytes name)
{
	char full[NAME_BYTES];
	int size = snprintf(full, sizeof(full), "%s" BYTES_FORMAT, prefix, BYTES_ARGS(name));

	return size < 0 || (size_t)size >= sizeof(full)
		       ? NULL
		       : settings_source_get(&schema->content, full);
}

static bool is_known(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return true;
	return strchr(name, '.') != NULL; /* a parameter or a word */
}

static bool check(const struct schema *schema, const char *const *names, size_t count,
		  struct error *err)
{
	const struct settings_source *content = &schema->content;

	for (size_t i = 0; i < content->member_count; i++)
		if (!is_known(content->members[i].name, names, count))
			return error_set(err, EX_CONFIG,
					 "%s:%d: unknown setting \"%s\" of a schema", schema->path,
					 content->members[i].line, content->members[i].name);
	return true;
}

/* ---- parameters --------------------------------------------------------------------------- */

bool schema_has_parameter(const struct schema *schema, const char *name)
{
	return value_of(schema, SCHEMA_FILE_PARAMETER, bytes_of(name)) != NULL;
}

/* It becomes a part of a statement, so what has a meaning there may not stand in it. */
bool schema_check_value(const char *value, struct error *err)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	return value[strspn(value, good)] == '\0' ||
	       error_set(err, EX_CONFIG, "may have letters, digits and _");
}

/* What the source says, or what the file has; NULL: there is no parameter NAME. */
static const char *parameter_of(const struct schema *schema, struct bytes name)
{
	const char *value = value_of(schema, SCHEMA_FILE_PARAMETER, name);

	for (size_t i = 0; value != NULL && i < schema->from->member_count; i++)
		if (bytes_equal(bytes_of(schema->from->members[i].name), name))
			return schema->from->members[i].value;
	return value;
}

/* ---- queries ------------------------------------------------------------------------------ */

/* Append TEXT, and for each ${NAME} what that stands for. */
static bool expand(const struct schema *schema, struct bytes text, int depth, struct buffer *out,
		   struct error *err)
{
	for (;;) {
		const char *mark = text.size == 0 ? NULL : memmem(text.data, text.size, "${", 2);
		struct bytes name;
		const char *value;
		size_t end;

		if (mark == NULL) {
			(void)buffer_append(out, text); /* checked at the end */
			return true;
		}
		(void)buffer_append(out, bytes_first(text, (size_t)(mark - text.data)));
		text = bytes_skip(text, (size_t)(mark - text.data) + 2);
		end = bytes_index(text, '}');
		name = bytes_first(text, end);
		value = parameter_of(schema, name);
		if (value == NULL)
			value = value_of(schema, SCHEMA_FILE_WORD, name);
		if (end == text.size || value == NULL || depth == DEPTH_MAX)
			return error_set(err, EX_CONFIG, "%s: ${" BYTES_FORMAT "} %s", schema->path,
					 BYTES_ARGS(bytes_first(name, 60)),
					 value == NULL ? "is neither a parameter nor a word"
						       : "has too many others in it");
		if (!expand(schema, bytes_of(value), depth + 1, out, err))
			return false;
		text = bytes_skip(text, end + 1);
	}
}

bool schema_expand(const struct schema *schema, const char *text, struct arena *arena,
		   const char **out_query, struct error *err)
{
	struct buffer query;
	bool is_good;

	*out_query = NULL;
	buffer_init(&query, QUERY_BYTES_MAX);
	is_good = expand(schema, bytes_of(text), 0, &query, err);
	if (is_good && !query.has_failed)
		*out_query = arena_text(arena, buffer_bytes(&query));
	if (is_good && *out_query == NULL)
		is_good = error_set_memory(err);
	buffer_free(&query);
	return is_good;
}

static bool take_query(const struct schema *schema, const char *name, struct arena *arena,
		       const char **out_query, struct error *err)
{
	const char *text = settings_source_get(&schema->content, name);

	*out_query = NULL;
	return text == NULL || schema_expand(schema, text, arena, out_query, err);
}

bool schema_fill(const struct schema *schema, const char *const *names, size_t count,
		 struct arena *arena, const char **texts, struct error *err)
{
	if (!check(schema, names, count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (texts[i] == NULL && names[i] != NULL &&
		    !take_query(schema, names[i], arena, &texts[i], err))
			return false;
	return true;
}
