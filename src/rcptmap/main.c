/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rcptmap - compile, query, explain and check the table of recipients.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "database/modules.h"
#include "follow/follow_status.h"
#include "rcptmap/command.h"
#include "settings/nearest.h"
#include "show/standard.h"
#include "show/text_output.h"

static int help(const struct options *options);
static int version(const struct options *options);

static const struct command commands[] = {
	{ "compile", "conflvPSDWQ", 0, OPERANDS_ANY, command_compile,
	  "compile [-c CONF] [-o TABLE] [--force] [--lenient] [-n] [-v] [-q] [-W WORD] [SOURCE...]",
	  "make the table from its sources and install it" },
	{ "watch", "csm", 0, 0, command_watch, "watch [-c CONF] [--metrics FILE] | --status",
	  "compile whenever a source has changed, or say how that goes" },
	{ "query", "ct", 1, OPERANDS_ANY, command_query, "query [-c CONF] [-t TABLE] KEY... | -",
	  "show the right-hand side of each key" },
	{ "resolve", "ctvjG", 1, OPERANDS_ANY, command_resolve,
	  "resolve [-c CONF] [-t TABLE] [-v] [--json | --dot] ADDRESS... | -",
	  "show what the daemon would answer for each address" },
	{ "dump", "ctj", 0, 0, command_dump, "dump [-c CONF] [-t TABLE] [--json]",
	  "print all entries, as text that compiles to the same table" },
	{ "verify", "ct", 0, 0, command_verify, "verify [-c CONF] [-t TABLE]",
	  "check the whole table" },
	{ "info", "ctj", 0, 0, command_info, "info [-c CONF] [-t TABLE] [--json]",
	  "show counts, domains and key rules of the table" },
	{ "domains", "ctF", 0, 0, command_domains, "domains [-c CONF] [-t TABLE] [--postfix]",
	  "list our domains, or print the commands that tell Postfix of them" },
	{ "diff", "c", 1, 2, command_diff, "diff [-c CONF] OLD [NEW]",
	  "show whose answer differs between two tables; @N is generation N" },
	{ "history", "cnj", 0, 0, command_history, "history [-c CONF] [-n] [--json]",
	  "list the tables that were in use before" },
	{ "rollback", "cf", 0, 1, command_rollback, "rollback [-c CONF] [--force] [GENERATION]",
	  "put the table before this one in place again, or an older one" },
	{ "config", "cnd", 0, OPERANDS_ANY, command_config, "config [-c CONF] [-n | -d] [NAME...]",
	  "show the settings in effect, or the value of one" },
	{ "check-postfix", "ctpC", 0, 0, command_check_postfix,
	  "check-postfix [-c CONF] [-t TABLE] [--postconf PROGRAM] [--postfix-config DIRECTORY]",
	  "show what in Postfix's configuration would make mail go wrong" },
	{ "sql", "c", 1, OPERANDS_ANY, command_sql,
	  "sql [-c CONF] postgresql:NAME | postgresql SCHEMA [NAME=VALUE...]",
	  "print the triggers by which a database tells of changes" },
	{ "help", "", 0, 1, help, "help [COMMAND]", "show how the commands are used" },
	{ "version", "", 0, 0, version, "version", "print the version" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* As postmap(1) is used: without the name of a subcommand. */
static const struct command postmap_command = {
	"rcptmap",
	"cqnflvDW",
	1,
	OPERANDS_ANY,
	command_postmap,
	"[-c CONF] [-q KEY | -q -] [TYPE:]FILE",
	"compile FILE beside itself as FILE.table, or query FILE.table",
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* To standard output, as it is: help and version. */
static int say(const char *text)
{
	struct text_output output;
	struct error err;

	text_output_init(&output, STDOUT_FILENO);
	(void)buffer_append_text(&output.text, text);
	return text_output_finish(&output, &err) ? EX_OK : command_fail(&err);
}

static int help_all(void)
{
	struct buffer text;
	int status;

	buffer_init(&text, 1 << 16);
	(void)buffer_append_text(&text, "usage: rcptmap COMMAND [OPTION...] [ARGUMENT...]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)buffer_append_format(&text, "  rcptmap %s\n      %s\n", commands[i].usage,
					   commands[i].summary);
	(void)buffer_append_format(&text, "  rcptmap %s\n      %s\n", postmap_command.usage,
				   postmap_command.summary);
	(void)buffer_append_text(
		&text, "\nCONF is " OPENRCPT_CONFIGURATION " if -c is not given, TABLE\n"
		       "what it names; `-` reads one item a line. The options of each command:\n"
		       "rcptmap help COMMAND. See rcptmap(1).\n");
	status = text.has_failed ? EX_OSERR : say(text.data);
	buffer_free(&text);
	return status;
}

static int help_one(const struct command *command)
{
	struct buffer text;
	int status;

	buffer_init(&text, 1 << 16);
	(void)buffer_append_format(&text, "usage: rcptmap %s\n%s\n\n", command->usage,
				   command->summary);
	options_help(command, &text);
	status = text.has_failed ? EX_OSERR : say(text.data);
	buffer_free(&text);
	return status;
}

static int version(const struct options *options)
{
	struct buffer text;
	int status;

	(void)options; /* it has none */
	buffer_init(&text, 1 << 16);
	(void)buffer_append_text(&text, "rcptmap " OPENRCPT_VERSION "\n");
	modules_list(&text);
	status = text.has_failed ? EX_OSERR : say(text.data);
	buffer_free(&text);
	return status;
}

static const char *nearest_command(const char *word)
{
	const char *nearest = NULL;
	unsigned best = NEAREST_ENOUGH + 1;

	for (size_t i = 0; i < COMMANDS; i++) {
		unsigned distance = nearest_distance(word, commands[i].name);

		if (distance < best) {
			best = distance;
			nearest = commands[i].name;
		}
	}
	return nearest;
}

/* WORD isn't WHAT. */
static int refuse_word(const char *word, const char *what)
{
	const char *nearest = nearest_command(word);
	struct error err;

	if (nearest != NULL)
		error_fill(&err, EX_USAGE, "%s is %s; did you mean %s?", word, what, nearest);
	else
		error_fill(&err, EX_USAGE, "%s is %s (see rcptmap -h)", word, what);
	return command_fail(&err);
}

static int help(const struct options *options)
{
	const struct command *command;

	if (options->operand_count == 0)
		return help_all();
	command = find_command(options->operands[0]);
	if (command == NULL)
		return refuse_word(options->operands[0], "no command");
	return help_one(command);
}

/* Is it a monitoring system that calls? */
static bool is_plugin(const struct command *command, int argc, char **argv)
{
	for (int i = 1; i < argc && command->run == command_watch; i++)
		if (strcmp(argv[i], "--status") == 0)
			return true;
	return false;
}

/* It shows standard output alone. */
static int fail_plugin(const struct error *why)
{
	struct text_output output;
	enum plugin_state state;
	struct error err;

	(void)command_fail(why); /* the status is a plugin's */
	text_output_init(&output, STDOUT_FILENO);
	state = follow_status_unknown(why->text, &output.text);
	return text_output_finish(&output, &err) ? (int)state : command_fail(&err);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options options;
	struct error err;

	if (!options_parse(command, argc, argv, &options, &err))
		return is_plugin(command, argc, argv) ? fail_plugin(&err) : command_fail(&err);
	if (options.wants_version)
		return version(&options);
	if (options.wants_help)
		return command == &postmap_command ? help_all() : help_one(command);
	return command->run(&options);
}

/* A word that is neither a file nor looks like one is a subcommand that doesn't exist. */
static bool is_misspelt(const char *word)
{
	return word[0] != '-' && strpbrk(word, "/:") == NULL && access(word, F_OK) != 0;
}

/* The command's name goes before the options that stood before it. */
static void move_to_front(char **argv, int place)
{
	char *name = argv[place];

	memmove(argv + 2, argv + 1, (size_t)(place - 1) * sizeof(*argv));
	argv[1] = name;
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct error err;
	int place;

	standard_occupy();
	(void)signal(SIGPIPE, SIG_IGN); /* can't fail: writing to a closed pipe is status 74 */
	(void)signal(SIGXFSZ, SIG_IGN); /* likewise: and so is a file that may grow no more */
	if (argc < 2) {
		error_fill(&err, EX_USAGE, "what is to be done? (see rcptmap -h)");
		return command_fail(&err);
	}
	place = options_find_word(argc, argv);
	command = place > 0 ? find_command(argv[place]) : NULL;
	if (command != NULL) {
		move_to_front(argv, place);
		return run(command, argc - 1, argv + 1);
	}
	if (place > 0 && is_misspelt(argv[place]))
		return refuse_word(argv[place], "neither a command nor a file");
	return run(&postmap_command, argc, argv);
}
