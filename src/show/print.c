/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/print.h"

#include <time.h>

#include "mail/address.h"
#include "mail/fold.h"
#include "mail/plain.h"
#include "mail/reply.h"

/* A word alone in the key column is a domain if it has a dot, and a comment if it begins so. */
static bool needs_quotes(struct bytes local, struct bytes domain)
{
	if (local.size == 0)
		return false;
	return local.data[0] == '#' || (domain.size == 0 && bytes_contain(local, '.'));
}

/* Failures of these appends are the buffer's: whoever owns it asks once. */
static void put(struct buffer *out_text, const char *text)
{
	(void)buffer_append_text(out_text, text);
}

/* LOCAL@DOMAIN as it is; a domain of the table never needs quotes. */
static void print_plain(struct bytes local, struct bytes domain, struct buffer *out_text)
{
	char *at = buffer_extend(out_text, local.size + 1 + domain.size);

	if (at == NULL)
		return;
	if (local.size > 0)
		memcpy(at, local.data, local.size);
	at[local.size] = '@';
	if (domain.size > 0)
		memcpy(at + local.size + 1, domain.data, domain.size);
}

void print_address(struct bytes local, struct bytes domain, struct buffer *out_text)
{
	struct address address = { .local = local, .domain = domain };

	if (local.size == 0 || (domain.size > 0 && plain_is_atoms(local)))
		print_plain(local, domain, out_text);
	else
		(void)address_print(&address, out_text);
}

void print_key(struct bytes local, struct bytes domain, struct buffer *out_text)
{
	size_t begin = out_text->size;

	if (!needs_quotes(local, domain)) {
		print_address(local, domain, out_text);
		return;
	}
	/* The local part may need quotes for other reasons, too: then it has them already. */
	print_address(local, bytes_make(NULL, 0), out_text);
	if (!out_text->has_failed && out_text->data[begin] != '"') {
		out_text->size = begin;
		put(out_text, "\"");
		(void)buffer_append(out_text, local);
		put(out_text, "\"");
	}
	if (domain.size > 0) {
		put(out_text, "@");
		(void)buffer_append(out_text, domain);
	}
}

static enum lookup print_targets(const struct table *table, const struct table_entry *entry,
				 struct buffer *out_text)
{
	struct table_target_cursor cursor;
	struct table_target target;
	enum lookup found;
	bool is_first = true;

	table_targets_begin(entry, &cursor);
	while ((found = table_next_target(table, &cursor, &target)) == LOOKUP_FOUND) {
		if (!is_first)
			put(out_text, ", ");
		print_address(target.local, target.domain.name, out_text);
		is_first = false;
	}
	return found == LOOKUP_ABSENT ? LOOKUP_FOUND : LOOKUP_BROKEN;
}

enum lookup print_reply(struct bytes line, struct buffer *out_text)
{
	struct reply reply;

	if (!reply_parse(line, &reply, NULL))
		return LOOKUP_BROKEN;
	(void)buffer_append_format(out_text, "error:%s:%s", reply.enhanced, reply.code);
	if (reply.text.size > 0)
		put(out_text, " ");
	(void)buffer_append(out_text, reply.text);
	return LOOKUP_FOUND;
}

enum lookup print_value(const struct table *table, const struct table_entry *entry,
			struct buffer *out_text)
{
	switch (entry->kind) {
	case TABLE_ENTRY_TARGETS:
		if (entry->pattern_value.size == 0)
			return print_targets(table, entry, out_text);
		print_field(entry->pattern_value, out_text);
		return LOOKUP_FOUND;
	case TABLE_ENTRY_REPLY:
		return print_reply(entry->reply, out_text);
	case TABLE_ENTRY_DISCARD:
		put(out_text, "discard:");
		return LOOKUP_FOUND;
	}
	return LOOKUP_BROKEN;
}

enum lookup print_json_targets(const struct table *table, const struct table_entry *entry,
			       struct buffer *scratch, struct json *json)
{
	struct table_target_cursor cursor;
	struct table_target target;
	enum lookup found;

	json_array_begin(json);
	table_targets_begin(entry, &cursor);
	while ((found = table_next_target(table, &cursor, &target)) == LOOKUP_FOUND) {
		buffer_clear(scratch);
		print_address(target.local, target.domain.name, scratch);
		json_printed(json, scratch);
	}
	json_array_end(json);
	return found == LOOKUP_ABSENT ? LOOKUP_FOUND : LOOKUP_BROKEN;
}

void print_json_sources(const struct table *table, struct json *json)
{
	struct bytes name;
	size_t position = 0;

	json_array_begin(json);
	while (table_next_source(table, &position, &name) == LOOKUP_FOUND)
		json_string(json, name);
	json_array_end(json);
}

enum lookup print_place(const struct table *table, const struct table_entry *entry,
			struct buffer *out_text)
{
	struct bytes source;
	char place[TABLE_PLACE_BYTES];
	uint32_t line;
	enum lookup found = table_provenance(table, entry, &source, &line);

	if (found != LOOKUP_FOUND)
		return found;
	print_field(source, out_text);
	table_place_line(source, line, place);
	(void)buffer_append_text(out_text, place);
	return LOOKUP_FOUND;
}

const char *print_declaration(const struct table_domain *domain)
{
	/* The daemon treats a domain that is both as a mailbox domain. */
	if ((domain->flags & TABLE_DOMAIN_MAILBOX) != 0)
		return "mailbox-domain";
	if ((domain->flags & TABLE_DOMAIN_ALIAS) != 0)
		return "alias-domain";
	return NULL;
}

void print_field(struct bytes text, struct buffer *out_text)
{
	/* No control byte, which could end the field, and no bad UTF-8, which could be anything. */
	if (fold_accepts(text))
		(void)buffer_append(out_text, text);
	else
		(void)address_escape(text, true, out_text);
}

void print_time(uint64_t seconds, char out_text[PRINT_TIME_ROOM])
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL ||
	    strftime(out_text, PRINT_TIME_ROOM, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		out_text[0] = '\0';
}
