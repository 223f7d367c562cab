/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <stdint.h>
#include <sysexits.h>
#include <unistd.h>

#include "show/json.h"
#include "show/print.h"
#include "show/sorted.h"
#include "show/text_output.h"

struct dump {
	const struct table *table;
	struct sorted sorted;
	struct text_output output;
	struct buffer scratch;
	bool is_json;
};

/* Failures of appends are told by text_output_finish(). */
static void put(struct dump *dump, const char *text)
{
	(void)buffer_append_text(&dump->output.text, text);
}

/* The key rules as lines of a configuration: without them the text would be another table. */
static void write_rules(struct dump *dump)
{
	const struct table_rules *rules = table_rules(dump->table);

	put(dump, "# recipient_delimiter = \"");
	print_field(rules->delimiters, &dump->output.text);
	put(dump, "\";\n# propagate_extension = ");
	put(dump, rules->propagates_extension ? "true" : "false");
	put(dump, ";\n# origin = \"");
	print_field(rules->origin, &dump->output.text);
	put(dump, "\";\n# append_dot_domain = \"");
	print_field(rules->dot_domain, &dump->output.text);
	put(dump, "\";\n");
}

/* Domains that no row can declare: a line of a configuration, too. */
static void write_domain_list(struct dump *dump, const char *name, unsigned flag)
{
	const char *separator = " ";

	put(dump, "# ");
	put(dump, name);
	put(dump, " = [");
	for (size_t i = 0; i < dump->sorted.domain_count; i++) {
		const struct table_domain *domain = &dump->sorted.domains[i];

		if ((domain->flags & flag) == 0 || domain->name.size == 0)
			continue;
		put(dump, separator);
		put(dump, "\"");
		print_field(domain->name, &dump->output.text);
		put(dump, "\"");
		separator = ", ";
	}
	put(dump, " ];\n");
}

static void write_declaration(struct dump *dump, const struct table_domain *domain)
{
	struct buffer *out = &dump->output.text;
	const char *declaration = print_declaration(domain);
	struct json json;

	if (declaration == NULL)
		return;
	if (dump->is_json) {
		json_init(&json, out);
		json_object_begin(&json);
		json_name(&json, "key");
		json_string(&json, domain->name);
		json_name(&json, "kind");
		json_string(&json, bytes_of(declaration));
		json_object_end(&json);
	} else if ((domain->flags & TABLE_DOMAIN_MAILBOX) != 0) {
		return; /* a row would make it an alias domain */
	} else {
		print_field(domain->name, out);
		put(dump, "\t");
		put(dump, declaration);
	}
	put(dump, "\n");
}

static const char *kind_name(enum table_entry_kind kind)
{
	static const char *const names[] = {
		[TABLE_ENTRY_TARGETS] = "targets",
		[TABLE_ENTRY_REPLY] = "reply",
		[TABLE_ENTRY_DISCARD] = "discard",
	};

	return names[kind];
}

static void write_json_place(struct dump *dump, const struct table_entry *entry, struct json *json)
{
	struct bytes source;
	uint32_t line;
	bool is_known = table_provenance(dump->table, entry, &source, &line) == LOOKUP_FOUND;

	json_name(json, "source");
	if (is_known)
		json_string(json, source);
	else
		json_null(json);
	json_name(json, "line");
	if (is_known && (line != 0 || !table_source_is_database(source)))
		json_number(json, line);
	else
		json_null(json);
}

static enum lookup write_json_entry(struct dump *dump, struct bytes local, struct bytes domain,
				    const struct table_entry *entry)
{
	enum lookup found = LOOKUP_FOUND;
	struct json json;

	json_init(&json, &dump->output.text);
	json_object_begin(&json);
	json_name(&json, "key");
	buffer_clear(&dump->scratch);
	print_key(local, domain, &dump->scratch);
	json_printed(&json, &dump->scratch);
	json_name(&json, "kind");
	json_string(&json, bytes_of(kind_name(entry->kind)));
	if (entry->kind == TABLE_ENTRY_TARGETS) {
		json_name(&json, "targets");
		found = print_json_targets(dump->table, entry, &dump->scratch, &json);
	} else if (entry->kind == TABLE_ENTRY_REPLY) {
		json_name(&json, "reply");
		json_string(&json, entry->reply);
	}
	write_json_place(dump, entry, &json);
	json_object_end(&json);
	put(dump, "\n");
	return found;
}

static enum lookup write_entry(struct dump *dump, const struct table_domain *domain,
			       struct bytes local)
{
	struct table_entry entry;
	enum lookup found = sorted_find(dump->table, domain, local, &entry);

	if (found != LOOKUP_FOUND)
		return found;
	if (dump->is_json)
		return write_json_entry(dump, local, domain->name, &entry);
	print_key(local, domain->name, &dump->output.text);
	put(dump, "\t");
	found = print_value(dump->table, &entry, &dump->output.text);
	put(dump, "\n");
	return found;
}

static void write_json_pattern(struct dump *dump, const struct table_pattern *pattern)
{
	struct json json;

	json_init(&json, &dump->output.text);
	json_object_begin(&json);
	json_name(&json, "key");
	buffer_clear(&dump->scratch);
	print_pattern_key(pattern, &dump->scratch);
	json_printed(&json, &dump->scratch);
	json_name(&json, "kind");
	json_string(&json, bytes_of("pattern"));
	json_name(&json, "value");
	buffer_clear(&dump->scratch);
	if (pattern->kind == TABLE_PATTERN_RULE &&
	    print_pattern_value(pattern, &dump->scratch) == LOOKUP_FOUND)
		json_printed(&json, &dump->scratch);
	else
		json_null(&json);
	json_object_end(&json);
}

/* Patterns have no place in virtual(5): lines of a pcre: source, as comments. */
static enum lookup write_pattern(struct dump *dump, const struct table_pattern *pattern)
{
	enum lookup found = LOOKUP_FOUND;

	if (dump->is_json) {
		write_json_pattern(dump, pattern);
	} else {
		put(dump, "#pcre: ");
		print_pattern_key(pattern, &dump->output.text);
		if (pattern->kind == TABLE_PATTERN_RULE)
			put(dump, "\t");
		found = print_pattern_value(pattern, &dump->output.text);
	}
	put(dump, "\n");
	return found;
}

static bool write_patterns(struct dump *dump, struct error *err)
{
	struct table_pattern pattern;
	uint64_t position = 0;

	while (table_next_pattern(dump->table, &position, &pattern) == LOOKUP_FOUND) {
		if (write_pattern(dump, &pattern) != LOOKUP_FOUND)
			return error_set(err, EX_DATAERR, "the table contradicts itself");
		if (!text_output_advance(&dump->output))
			break; /* text_output_finish() tells why */
	}
	return true;
}

static bool write_all(struct dump *dump, struct error *err)
{
	const struct sorted *sorted = &dump->sorted;

	if (!dump->is_json) {
		write_rules(dump);
		write_domain_list(dump, "local_domains", TABLE_DOMAIN_LOCAL);
		write_domain_list(dump, "mailbox_domains", TABLE_DOMAIN_MAILBOX);
	}
	for (size_t i = 0; i < sorted->domain_count; i++) {
		write_declaration(dump, &sorted->domains[i]);
		for (size_t key = sorted->first_keys[i]; key < sorted->first_keys[i + 1]; key++) {
			if (write_entry(dump, &sorted->domains[i],
					sorted_local(&sorted->keys[key])) != LOOKUP_FOUND)
				return error_set(err, EX_DATAERR, "the table contradicts itself");
			if (!text_output_advance(&dump->output))
				return true; /* text_output_finish() tells why */
		}
	}
	return true;
}

int command_dump(const struct options *options)
{
	struct dump dump = { .is_json = options->is_json };
	struct table *table;
	struct error err;
	struct error sink_error;
	bool is_done;

	table = command_open_table(options, &err);
	if (table == NULL)
		return command_fail(&err);
	dump.table = table;
	text_output_init(&dump.output, STDOUT_FILENO);
	buffer_init(&dump.scratch, SIZE_MAX / 4);
	is_done = sorted_load(table, &dump.sorted, &err) && write_all(&dump, &err) &&
		  write_patterns(&dump, &err);
	sorted_free(&dump.sorted);
	buffer_free(&dump.scratch);
	table_close(table);
	if (!text_output_finish(&dump.output, &sink_error))
		return command_fail(&sink_error);
	return is_done ? EX_OK : command_fail(&err);
}
