/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/builder.h"

#include <sysexits.h>

#include "compile/row_entry.h"
#include "compile/row_pattern.h"
#include "compile/row_plain.h"
#include "mail/address.h"
#include "mail/fold.h"

enum {
	ROW_ARENA_BYTES = 256 << 20,
	WORDS_ARENA_BYTES = 256 << 20,
	RULES_ARENA_BYTES = 1 << 20,
	TARGETS_BYTES = 256 << 20,
};

/* Addresses of this host that need no configuration. */
static const char *const own_literals[] = { "[127.0.0.1]", "[ipv6:::1]" };

static bool fold_setting(struct builder *builder, const char *name, const char *text,
			 struct bytes *out_key)
{
	enum fold_outcome outcome = FOLD_NO_MEMORY;
	struct bytes copy;

	if (arena_copy(&builder->rules_arena, bytes_of(text), &copy))
		outcome = fold_domain(copy, &builder->rules_arena, out_key);
	if (outcome == FOLD_OK)
		return true;
	report_error(builder->report, outcome == FOLD_INVALID ? EX_CONFIG : EX_OSERR,
		     builder->settings->file, 0, "%s: \"%s\" %s", name, text,
		     outcome == FOLD_INVALID ? "is not a domain" : "does not fit in memory");
	return false;
}

bool builder_init(struct builder *builder, const struct settings *settings, struct report *report,
		  bool is_lenient)
{
	*builder = (struct builder){
		.settings = settings,
		.report = report,
		.is_lenient = is_lenient,
	};
	line_map_init(&builder->lines);
	arena_init(&builder->arena, ROW_ARENA_BYTES);
	arena_init(&builder->words_arena, WORDS_ARENA_BYTES);
	arena_init(&builder->rules_arena, RULES_ARENA_BYTES);
	buffer_init(&builder->targets, TARGETS_BYTES);
	builder->rules.delimiters = bytes_of(settings->recipient_delimiter);
	builder->rules.propagates_extension = settings->propagate_extension;
	builder->rules.keeps_dead_ends = is_lenient;
	return fold_setting(builder, "origin", settings_origin(settings), &builder->rules.origin) &&
	       fold_setting(builder, "append_dot_domain", settings->append_dot_domain,
			    &builder->rules.dot_domain);
}

void builder_free(struct builder *builder)
{
	arena_free(&builder->arena);
	arena_free(&builder->words_arena);
	arena_free(&builder->rules_arena);
	buffer_free(&builder->targets);
	line_map_free(&builder->lines);
}

/* One of local_domains, called KEY, is to become local. */
static void look_at_local(struct builder *builder, uint32_t domain, struct bytes key)
{
	unsigned flags = writer_domain_get_flags(builder->writer, domain);

	builder->is_origin_local |= domain == builder->origin_domain;
	if ((flags & TABLE_DOMAIN_OURS) != 0)
		report_warning(
			builder->report, WARNING_LOCAL_DOMAIN, builder->settings->file, 0,
			BYTES_FORMAT " is in local_domains and in %s: its local users without "
				     "a key are refused",
			BYTES_ARGS(key),
			(flags & TABLE_DOMAIN_ALIAS) != 0 ? "alias_domains" : "mailbox_domains");
}

static bool declare_all(struct builder *builder, const char *name,
			const struct settings_list *domains, unsigned flags)
{
	for (size_t i = 0; i < domains->count; i++) {
		struct bytes key;
		uint32_t domain;

		if (!fold_setting(builder, name, domains->items[i], &key))
			return false;
		domain = writer_domain(builder->writer, key);
		if (domain == 0)
			return false;
		if ((flags & TABLE_DOMAIN_LOCAL) != 0)
			look_at_local(builder, domain, key);
		writer_domain_flags(builder->writer, domain, flags);
	}
	return true;
}

bool builder_begin(struct builder *builder, struct table_writer *writer)
{
	const struct settings *settings = builder->settings;

	builder->writer = writer;
	line_map_clear(&builder->lines);
	builder->open_blocks = 0;
	builder->key_domain = 0;
	builder->key_domain_size = 0;
	builder->words = NULL;
	builder->is_origin_local = false;
	arena_clear(&builder->words_arena);
	builder->bare_domain = writer_domain(writer, bytes_make("", 0));
	builder->origin_domain = writer_domain(writer, builder->rules.origin);
	if (builder->bare_domain == 0 || builder->origin_domain == 0)
		return false;
	writer_domain_flags(writer, builder->origin_domain, TABLE_DOMAIN_LOCAL);
	for (size_t i = 0; i < sizeof(own_literals) / sizeof(own_literals[0]); i++) {
		uint32_t domain = writer_domain(writer, bytes_of(own_literals[i]));

		if (domain == 0)
			return false;
		writer_domain_flags(writer, domain, TABLE_DOMAIN_LOCAL);
	}
	return declare_all(builder, "mailbox_domains", &settings->mailbox_domains,
			   TABLE_DOMAIN_MAILBOX) &&
	       declare_all(builder, "alias_domains", &settings->alias_domains,
			   TABLE_DOMAIN_ALIAS) &&
	       /* Found also where there are no bare keys: what routes through them must be seen. */
	       declare_all(builder, "local_domains", &settings->local_domains,
			   TABLE_DOMAIN_LOCAL | TABLE_DOMAIN_PROBED);
}

/* Does PATH end in the components that NAME has? */
static bool ends_in(const char *path, const char *name)
{
	size_t size = strlen(path);
	size_t tail = strlen(name);

	return size >= tail && strcmp(path + size - tail, name) == 0 &&
	       (size == tail || path[size - tail - 1] == '/');
}

static bool is_shared(const struct builder *builder, const char *path, const char *name)
{
	for (size_t i = 0; i < builder->source_count; i++)
		if (strcmp(builder->sources[i].path, path) != 0 &&
		    ends_in(builder->sources[i].path, name))
			return true;
	return false;
}

/* As short a tail of PATH as no other source has. */
static const char *short_name(const struct builder *builder, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;

	while (name > path && is_shared(builder, path, name)) {
		name--; /* to the slash before it */
		while (name > path && name[-1] != '/')
			name--;
	}
	return name;
}

bool builder_source(struct builder *builder, const char *path)
{
	struct bytes name = bytes_of(short_name(builder, path));

	return row_pattern_close(builder) && line_map_add_source(&builder->lines, path) &&
	       writer_source(builder->writer, builder->lines.last_line + 1, name);
}

static bool add_row(struct builder *builder, const struct source_row *row)
{
	const char *path = builder->lines.sources[builder->lines.source_count - 1].path;
	uint32_t global_line;

	/* A primary key that is too big to be a line is none. */
	if (!line_map_add_line(&builder->lines, row->line, &global_line) &&
	    (row->place == NULL || !line_map_add_line(&builder->lines, 0, &global_line))) {
		report_stop(builder->report, EX_DATAERR, path, row->line,
			    "more than four thousand million lines");
		return false;
	}
	if (row_plain_add(builder, row, global_line))
		return true;
	arena_clear(&builder->arena);
	if (row->kind == SOURCE_ROW_PATTERN)
		return row_pattern_add(builder, row, path, global_line);
	return row_entry_add(builder, row, path, global_line);
}

bool builder_row(struct builder *builder, const struct source_row *row)
{
	bool is_added;

	/* Without a line only its key tells which row it is. */
	if (row->place != NULL && row->line == 0)
		builder->report->subject = row->key;
	is_added = add_row(builder, row);
	builder->report->subject = bytes_make(NULL, 0);
	return is_added;
}

bool builder_end(struct builder *builder)
{
	return row_pattern_close(builder) && row_entry_settle_words(builder);
}
