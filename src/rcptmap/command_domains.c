/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buffer.h"
#include "postfix_check/postfix_maps.h"
#include "show/sorted.h"
#include "show/text_output.h"

/* The class of DOMAIN, or NULL where it isn't ours. */
static const char *class_of(const struct table_domain *domain)
{
	if (domain->name.size == 0 || (domain->flags & TABLE_DOMAIN_OURS) == 0)
		return NULL;
	return (domain->flags & TABLE_DOMAIN_MAILBOX) != 0 ? "mailbox" : "alias";
}

/* Failures of appends are told by text_output_finish(). */
static void list_domains(const struct sorted *sorted, struct buffer *out)
{
	for (size_t i = 0; i < sorted->domain_count; i++) {
		const char *class = class_of(&sorted->domains[i]);

		if (class != NULL)
			(void)buffer_append_format(out, BYTES_FORMAT "\t%s\n",
						   BYTES_ARGS(sorted->domains[i].name), class);
	}
}

/* ---- commands for Postfix ------------------------------------------------------------------ */

static void put(struct buffer *out, const char *text)
{
	(void)buffer_append_text(out, text); /* as above */
}

/* No domain has a byte that a shell would see in single quotes. */
static void put_domains(const struct sorted *sorted, struct buffer *out)
{
	put(out, "postconf -e 'virtual_alias_domains =");
	for (size_t i = 0; i < sorted->domain_count; i++) {
		const char *class = class_of(&sorted->domains[i]);

		if (class != NULL && strcmp(class, "alias") == 0)
			(void)buffer_append_format(out, " " BYTES_FORMAT,
						   BYTES_ARGS(sorted->domains[i].name));
	}
	put(out, "'\npostconf -e 'virtual_alias_maps =");
	for (size_t i = 0, count = 0; i < sorted->domain_count; i++)
		if (class_of(&sorted->domains[i]) != NULL)
			(void)buffer_append_format(out,
						   "%s { @" BYTES_FORMAT " = @" BYTES_FORMAT " }",
						   count++ == 0 ? " inline:{" : ",",
						   BYTES_ARGS(sorted->domains[i].name),
						   BYTES_ARGS(sorted->domains[i].name));
	put(out, " }'\n");
}

static void put_maps(const struct settings *settings, struct buffer *out)
{
	static const char *const parameters[POSTFIX_MAPS] = {
		[POSTFIX_MAP_CATCH_ALL] = "virtual_alias_maps",
		[POSTFIX_MAP_ALIAS_DOMAINS] = "virtual_alias_domains",
	};

	for (enum postfix_map map = 0; map < POSTFIX_MAPS; map++)
		(void)buffer_append_format(out, "postconf -e '%s = %s:%s/%s'\n", parameters[map],
					   postfix_maps_type(settings),
					   settings->postfix_maps_directory, postfix_map_name(map));
}

static bool is_any_ours(const struct sorted *sorted)
{
	for (size_t i = 0; i < sorted->domain_count; i++)
		if (class_of(&sorted->domains[i]) != NULL)
			return true;
	return false;
}

static int print_domains(const struct options *options, const struct settings *settings,
			 const struct sorted *sorted)
{
	struct text_output output;
	struct error err;

	if (options->is_for_postfix && !is_any_ours(sorted)) {
		error_fill(&err, EX_DATAERR, "the table declares no domain of ours");
		return command_fail(&err);
	}
	text_output_init(&output, STDOUT_FILENO);
	if (!options->is_for_postfix)
		list_domains(sorted, &output.text);
	else if (settings->postfix_maps_directory[0] != '\0')
		put_maps(settings, &output.text);
	else
		put_domains(sorted, &output.text);
	return text_output_finish(&output, &err) ? EX_OK : command_fail(&err);
}

int command_domains(const struct options *options)
{
	struct error err;
	struct settings *settings = command_settings(options, &err);
	struct table *table = NULL;
	struct sorted sorted;
	int status;

	if (settings == NULL)
		return command_fail(&err);
	table = command_open_path(options->table != NULL ? options->table : settings->table,
				  settings, &err);
	if (table == NULL || !sorted_load_domains(table, &sorted, &err)) {
		status = command_fail(&err);
	} else {
		status = print_domains(options, settings, &sorted);
		sorted_free(&sorted);
	}
	table_close(table);
	settings_free(settings);
	return status;
}
