/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_help - what the options are for, a line each; the completions of shells read it, too.
 */
#include "rcptmap/options.h"

#include <string.h>

struct row {
	char letter; /* as in `accepts` */
	char shown;  /* the short name, or NUL */
	const char *name;
	const char *value;
	const char *text;
	const char *command; /* the only one that takes it so; NULL: all that accept it */
};

static const struct row rows[] = {
	{ 'c', 'c', "configuration", "CONF", "read this configuration", NULL },
	{ 't', 't', "table", "TABLE", "use this table instead of the configured one", NULL },
	{ 'o', 'o', "output", "TABLE", "install the table here", NULL },
	{ 'q', 'q', "query", "KEY", "print what KEY leads to; -: one a line", NULL },
	{ LETTER_DRY_RUN, 'n', "dry-run", NULL, "only check: write nothing", NULL },
	{ 'n', 'n', NULL, NULL, "only those that differ from the default", "config" },
	{ 'n', 'n', NULL, NULL, "without what changed", "history" },
	{ 'd', 'd', NULL, NULL, "the defaults", NULL },
	{ LETTER_FORCE, '\0', "force", NULL, "publish even a table that lost much", NULL },
	{ LETTER_LENIENT, '\0', "lenient", NULL, "pass over what is wrong, with a warning", NULL },
	{ LETTER_NO_PROOF, '\0', "no-proof", NULL, "prove nothing: for measurements", NULL },
	{ LETTER_NO_SYNC, '\0', "no-sync", NULL, "don't wait for the disk: likewise", NULL },
	{ LETTER_QUIET, 'q', "quiet", NULL, "no warnings", NULL },
	{ 'W', 'W', "warning", "WORD", "error, or no-NAME of a warning", NULL },
	{ 'v', 'v', "verbose", NULL, "show the way of each address", "resolve" },
	{ 'v', 'v', "verbose", NULL, "tell what was made, and known warnings, too", NULL },
	{ LETTER_JSON, '\0', "json", NULL, "as JSON", NULL },
	{ LETTER_DOT, '\0', "dot", NULL, "as a digraph for Graphviz", NULL },
	{ LETTER_POSTFIX, '\0', "postfix", NULL, "as commands that tell Postfix", NULL },
	{ LETTER_POSTCONF, '\0', "postconf", "PROGRAM", "ask this postconf(1)", NULL },
	{ LETTER_METRICS, '\0', "metrics", "FILE", "write the state for node_exporter", NULL },
	{ LETTER_STATUS, '\0', "status", NULL, "say how it goes, as a monitoring plugin", NULL },
	{ LETTER_POSTFIX_CONFIG, '\0', "postfix-config", "DIRECTORY", "where main.cf is", NULL },
	{ 'h', 'h', "help", NULL, "show how the command is used", NULL },
	{ 'V', 'V', "version", NULL, "print the version", NULL },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), COLUMN = 32 };

static bool is_row_of(const struct row *row, const struct command *command)
{
	bool is_accepted = row->letter == 'h' || row->letter == 'V' ||
			   strchr(command->accepts, row->letter) != NULL;

	if (!is_accepted || (row->command != NULL && strcmp(row->command, command->name) != 0))
		return false;
	/* One that has its own row there needs no common one. */
	for (const struct row *before = rows; before < row; before++)
		if (before->letter == row->letter && before->command != NULL &&
		    strcmp(before->command, command->name) == 0)
			return false;
	return true;
}

static void print_row(const struct row *row, struct buffer *out_text)
{
	static const char blanks[] = "                                ";
	size_t begin = out_text->size;
	size_t size;

	if (row->shown != '\0')
		(void)buffer_append_format(out_text, "  -%c", row->shown); /* the buffer knows */
	else
		(void)buffer_append_text(out_text, "    "); /* likewise */
	if (row->name != NULL)
		(void)buffer_append_format(out_text, "%s --%s", row->shown != '\0' ? "," : " ",
					   row->name); /* likewise */
	if (row->value != NULL)
		(void)buffer_append_format(out_text, " %s", row->value); /* likewise */
	size = out_text->size - begin;
	(void)buffer_append_format(out_text, "%s  %s\n", size < COLUMN ? blanks + size : "",
				   row->text); /* likewise */
}

void options_help(const struct command *command, struct buffer *out_text)
{
	for (const struct row *row = rows; row < rows + ROWS; row++)
		if (is_row_of(row, command))
			print_row(row, out_text);
	if (strchr(command->accepts, 'W') == NULL)
		return;
	(void)buffer_append_text(out_text, "\nwarnings:"); /* likewise */
	for (enum warning i = 0; i < WARNINGS; i++)
		(void)buffer_append_format(out_text, "%s%s", i % 7 == 0 ? "\n  " : " ",
					   warning_name(i)); /* likewise */
	(void)buffer_append_text(out_text, "\n");            /* likewise */
}
