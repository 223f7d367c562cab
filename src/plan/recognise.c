/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/recognise.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/schema.h"
#include "settings/schema_file.h"
#include "sql/query_form.h"

enum { ARENA_BYTES = 16 << 20, NAME_BYTES = 100, WORDS_BYTES = 200 };

#define ENDING ".conf"

/* What a schema may have, in words, by the name of its query. */
static const struct {
	const char *query;
	const char *words;
} rows[] = {
	{ "domain_query", "domains" },
	{ "alias_domain_query", "alias domains" },
	{ "alias_query", "aliases" },
	{ "catch_all_query", "catch-alls" },
	{ "domain_alias_query", "domain aliases" },
	{ "mailbox_query", "mailboxes" },
	{ "pattern_query", "patterns" },
};

/* Where Postfix asks what is of KIND; NULL: nowhere. */
static const char *map_of(enum database_kind kind)
{
	switch (kind) {
	case DATABASE_ALIAS:
		return SCHEMA_FILE_POSTFIX "virtual_alias_maps";
	case DATABASE_MAILBOX:
		return SCHEMA_FILE_POSTFIX "virtual_mailbox_maps";
	case DATABASE_DOMAIN:
		return SCHEMA_FILE_POSTFIX "virtual_mailbox_domains";
	case DATABASE_ALIAS_DOMAIN:
		return SCHEMA_FILE_POSTFIX "virtual_alias_domains";
	default:
		return NULL;
	}
}

struct recogniser {
	const struct database_plan *plan;
	const char *map; /* as a member of a schema */
	struct bytes form;
	struct report *report;
};

/* `domains, aliases and mailboxes` */
static void put_rows(const struct schema *schema, char out[WORDS_BYTES])
{
	const char *words[sizeof(rows) / sizeof(rows[0])];
	size_t count = 0, size = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (settings_source_get(&schema->content, rows[i].query) != NULL)
			words[count++] = rows[i].words;
	out[0] = '\0';
	for (size_t i = 0; i < count && size < WORDS_BYTES; i++) {
		const char *before = i == 0 ? "" : i + 1 == count ? " and " : ", ";
		int added = snprintf(out + size, WORDS_BYTES - size, "%s%s", before, words[i]);

		size += added < 0 ? 0 : (size_t)added;
	}
}

static void tell(const struct recogniser *recogniser, const struct schema *schema, const char *name)
{
	char words[WORDS_BYTES];

	put_rows(schema, words);
	report_note(recogniser->report, recogniser->plan->path,
		    "this is a query of %s for %s; schema = \"%s\" reads %s", name,
		    recogniser->map + strlen(SCHEMA_FILE_POSTFIX), name, words);
}

static bool is_alike(const struct recogniser *recogniser, const struct schema *schema,
		     const char *text)
{
	struct bytes form = bytes_make(NULL, 0);
	const char *query;
	struct arena arena;
	struct error err;
	bool is_read;

	arena_init(&arena, ARENA_BYTES);
	is_read = schema_expand(schema, text, &arena, &query, &err) &&
		  query_form_find(bytes_of(query), false, &arena, &form) &&
		  bytes_equal(form, recogniser->form);
	arena_free(&arena);
	return is_read;
}

/* The schema NAME, of the file PATH. */
static void compare(const struct recogniser *recogniser, const char *path, const char *name)
{
	const struct settings_source nobody = { 0 };
	struct schema schema;
	struct error err;
	bool is_found = false;

	if (schema_load(path, recogniser->plan->type, &nobody, &schema, &err))
		for (size_t i = 0; i < schema.content.member_count && !is_found; i++)
			is_found = strcmp(schema.content.members[i].name, recogniser->map) == 0 &&
				   is_alike(recogniser, &schema, schema.content.members[i].value);
	if (is_found)
		tell(recogniser, &schema, name);
	schema_close(&schema);
}

static int is_schema(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name), ending = strlen(ENDING);

	return size > ending && size < NAME_BYTES && entry->d_name[0] != '.' &&
	       strcmp(entry->d_name + size - ending, ENDING) == 0;
}

static void compare_all(const struct recogniser *recogniser)
{
	struct dirent **entries = NULL;
	int count = scandir(schema_directory(), &entries, is_schema, alphasort);

	for (int i = 0; i < count; i++) {
		char *name = entries[i]->d_name;
		struct buffer path;

		buffer_init(&path, ARENA_BYTES);
		(void)buffer_append_format(&path, "%s/%s", schema_directory(), name); /* below */
		(void)buffer_append_byte(&path, '\0');
		name[strlen(name) - strlen(ENDING)] = '\0';
		if (!path.has_failed)
			compare(recogniser, path.data, name);
		buffer_free(&path);
		free(entries[i]);
	}
	free(entries);
}

void recognise_query(const struct database_plan *plan, enum database_kind kind,
		     struct report *report)
{
	struct recogniser recogniser = { .plan = plan, .map = map_of(kind), .report = report };
	bool is_mysql = strcmp(plan->type, "mysql") == 0;
	struct arena arena;

	/* Of none of the programs a table leaves domains out, or makes something of the values. */
	if (recogniser.map == NULL || plan->domains.size > 0 ||
	    !bytes_equal(plan->result_format, bytes_of("%s")))
		return;
	arena_init(&arena, ARENA_BYTES);
	if (query_form_find(bytes_of(plan->queries[kind]), is_mysql, &arena, &recogniser.form) &&
	    recogniser.form.size > 0)
		compare_all(&recogniser);
	arena_free(&arena);
}
