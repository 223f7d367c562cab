/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command_info - info and verify: what a table says of itself, and whether it can be believed.
 */
#include "rcptmap/command.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "show/json.h"
#include "show/print.h"
#include "show/sorted.h"
#include "show/text_output.h"

enum {
	NAMES_SHOWN = 20, /* to a person; --json has them all */
};

/* The classes of domains, as the settings call them. */
static const struct domain_class {
	const char *name;
	unsigned flag;
	unsigned unless;
} domain_classes[] = {
	{ "alias_domains", TABLE_DOMAIN_ALIAS, TABLE_DOMAIN_MAILBOX },
	{ "mailbox_domains", TABLE_DOMAIN_MAILBOX, 0 },
	{ "local_domains", TABLE_DOMAIN_LOCAL, 0 },
};

enum { DOMAIN_CLASSES = sizeof(domain_classes) / sizeof(domain_classes[0]) };

static bool is_in_class(const struct domain_class *class, const struct table_domain *domain)
{
	return domain->name.size > 0 && (domain->flags & class->flag) != 0 &&
	       (domain->flags & class->unless) == 0;
}

/* ---- for people. Failures of appends are told by text_output_finish(). ---------------------- */

static void put_text(struct buffer *out, const char *name, struct bytes value)
{
	(void)buffer_append_format(out, "%-21s ", name);
	print_field(value, out);
	(void)buffer_append_byte(out, '\n');
}

static void put_number(struct buffer *out, const char *name, uint64_t value)
{
	(void)buffer_append_format(out, "%-21s %" PRIu64 "\n", name, value);
}

static void put_class(struct buffer *out, const struct domain_class *class,
		      const struct sorted *sorted)
{
	size_t count = 0;

	for (size_t i = 0; i < sorted->domain_count; i++)
		count += is_in_class(class, &sorted->domains[i]) ? 1 : 0;
	put_number(out, class->name, count);
	count = 0;
	for (size_t i = 0; i < sorted->domain_count && count <= NAMES_SHOWN; i++) {
		if (!is_in_class(class, &sorted->domains[i]))
			continue;
		if (++count <= NAMES_SHOWN)
			put_text(out, "", sorted->domains[i].name);
		else
			put_text(out, "", bytes_of("..."));
	}
}

/* A broken name can't be: the table was verified. */
static void put_sources(struct buffer *out, const struct table *table)
{
	struct bytes name;
	size_t position = 0;
	size_t count = 0;

	while (table_next_source(table, &position, &name) == LOOKUP_FOUND)
		put_text(out, count++ == 0 ? "sources" : "", name);
}

static void write_text(struct buffer *out, const struct table *table, const struct sorted *sorted)
{
	const struct table_facts *facts = table_facts(table);
	const struct table_rules *rules = table_rules(table);
	char created[PRINT_TIME_ROOM];

	print_time(facts->created, created);
	put_number(out, "format", facts->format_version);
	put_number(out, "generation", facts->generation);
	if (facts->copy_of != 0)
		put_number(out, "copy_of", facts->copy_of);
	put_text(out, "created", bytes_of(created));
	put_number(out, "entries", facts->entries);
	put_number(out, "targets", facts->targets);
	put_number(out, "domains", facts->domains);
	put_number(out, "size_bytes", facts->size_bytes);
	(void)buffer_append_format(out, "%-21s %016" PRIx64 "\n", "checksum", facts->checksum);
	put_text(out, "provenance", bytes_of(facts->has_provenance ? "yes" : "no"));
	put_sources(out, table);
	put_text(out, "lenient", bytes_of(facts->is_lenient ? "yes" : "no"));
	put_text(out, "recipient_delimiter", rules->delimiters);
	put_text(out, "propagate_extension",
		 bytes_of(rules->propagates_extension ? "true" : "false"));
	put_text(out, "origin", rules->origin);
	put_text(out, "append_dot_domain", rules->dot_domain);
	for (size_t i = 0; i < DOMAIN_CLASSES; i++)
		put_class(out, &domain_classes[i], sorted);
}

/* ---- for programs ---------------------------------------------------------------------- */

static void name_text(struct json *json, const char *name, struct bytes value)
{
	json_name(json, name);
	json_string(json, value);
}

static void name_number(struct json *json, const char *name, uint64_t value)
{
	json_name(json, name);
	json_number(json, value);
}

static void name_boolean(struct json *json, const char *name, bool value)
{
	json_name(json, name);
	json_boolean(json, value);
}

static void name_class(struct json *json, const struct domain_class *class,
		       const struct sorted *sorted)
{
	json_name(json, class->name);
	json_array_begin(json);
	for (size_t i = 0; i < sorted->domain_count; i++)
		if (is_in_class(class, &sorted->domains[i]))
			json_string(json, sorted->domains[i].name);
	json_array_end(json);
}

static void write_json(struct buffer *out, const struct table *table, const struct sorted *sorted)
{
	const struct table_facts *facts = table_facts(table);
	const struct table_rules *rules = table_rules(table);
	char checksum[20];
	struct json json;

	/* As text: not every reader of JSON can hold 64 bits. */
	(void)snprintf(checksum, sizeof(checksum), "%016" PRIx64, facts->checksum); /* fits */
	json_init(&json, out);
	json_object_begin(&json);
	name_number(&json, "format", facts->format_version);
	name_number(&json, "generation", facts->generation);
	json_name(&json, "copy_of");
	if (facts->copy_of != 0)
		json_number(&json, facts->copy_of);
	else
		json_null(&json);
	name_number(&json, "created", facts->created);
	name_number(&json, "entries", facts->entries);
	name_number(&json, "targets", facts->targets);
	name_number(&json, "domains", facts->domains);
	name_number(&json, "size_bytes", facts->size_bytes);
	name_text(&json, "checksum", bytes_of(checksum));
	name_boolean(&json, "provenance", facts->has_provenance);
	json_name(&json, "sources");
	print_json_sources(table, &json);
	name_boolean(&json, "lenient", facts->is_lenient);
	name_text(&json, "recipient_delimiter", rules->delimiters);
	name_boolean(&json, "propagate_extension", rules->propagates_extension);
	name_text(&json, "origin", rules->origin);
	name_text(&json, "append_dot_domain", rules->dot_domain);
	for (size_t i = 0; i < DOMAIN_CLASSES; i++)
		name_class(&json, &domain_classes[i], sorted);
	json_object_end(&json);
	(void)buffer_append_byte(out, '\n');
}

int command_info(const struct options *options)
{
	struct table *table;
	struct sorted sorted;
	struct text_output output;
	struct error err;

	table = command_open_table(options, &err);
	if (table == NULL)
		return command_fail(&err);
	if (!sorted_load_domains(table, &sorted, &err)) {
		table_close(table);
		return command_fail(&err);
	}
	text_output_init(&output, STDOUT_FILENO);
	if (options->is_json)
		write_json(&output.text, table, &sorted);
	else
		write_text(&output.text, table, &sorted);
	sorted_free(&sorted);
	table_close(table);
	return text_output_finish(&output, &err) ? EX_OK : command_fail(&err);
}

/* ---- verify ---------------------------------------------------------------------------- */

int command_verify(const struct options *options)
{
	struct error err;
	struct table *table = command_open_table(options, &err);

	/* No table is opened that isn't sound. */
	if (table == NULL)
		return command_fail(&err);
	table_close(table);
	return EX_OK;
}
