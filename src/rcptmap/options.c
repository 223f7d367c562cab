/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/options.h"

#include <getopt.h>
#include <string.h>
#include <sysexits.h>

/* -q has a value where it is a key, as in postmap, and none where it is `quiet`. */
#define SHORT_OPTIONS(query) ":t:c:o:" query "ndvhVW:"

static const struct option long_options[] = {
	{ "table", required_argument, NULL, 't' },
	{ "configuration", required_argument, NULL, 'c' },
	{ "output", required_argument, NULL, 'o' },
	{ "query", required_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "json", no_argument, NULL, LETTER_JSON },
	{ "dot", no_argument, NULL, LETTER_DOT },
	{ "force", no_argument, NULL, LETTER_FORCE },
	{ "lenient", no_argument, NULL, LETTER_LENIENT },
	{ "no-proof", no_argument, NULL, LETTER_NO_PROOF },
	{ "postfix", no_argument, NULL, LETTER_POSTFIX },
	{ "dry-run", no_argument, NULL, LETTER_DRY_RUN },
	{ "no-sync", no_argument, NULL, LETTER_NO_SYNC },
	{ "postconf", required_argument, NULL, LETTER_POSTCONF },
	{ "postfix-config", required_argument, NULL, LETTER_POSTFIX_CONFIG },
	{ "quiet", no_argument, NULL, LETTER_QUIET },
	{ "warning", required_argument, NULL, 'W' },
	{ "status", no_argument, NULL, LETTER_STATUS },
	{ "metrics", required_argument, NULL, LETTER_METRICS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* Where the value of LETTER goes; NULL: it has none. */
static const char **value_of(int letter, struct options *options)
{
	switch (letter) {
	case 't':
		return &options->table;
	case 'c':
		return &options->configuration;
	case 'o':
		return &options->output;
	case 'q':
		return &options->key;
	case LETTER_POSTCONF:
		return &options->postconf;
	case LETTER_POSTFIX_CONFIG:
		return &options->postfix_directory;
	case LETTER_METRICS:
		return &options->metrics;
	default:
		return NULL;
	}
}

static bool *flag_of(int letter, struct options *options)
{
	switch (letter) {
	case 'n':
	case LETTER_DRY_RUN:
		return &options->is_brief;
	case 'd':
		return &options->wants_defaults;
	case 'v':
		return &options->is_verbose;
	case LETTER_JSON:
		return &options->is_json;
	case LETTER_DOT:
		return &options->is_dot;
	case LETTER_FORCE:
		return &options->is_forced;
	case LETTER_LENIENT:
		return &options->is_lenient;
	case LETTER_NO_PROOF:
		return &options->skips_proof;
	case LETTER_NO_SYNC:
		return &options->skips_sync;
	case LETTER_POSTFIX:
		return &options->is_for_postfix;
	case LETTER_QUIET:
		return &options->warnings.are_silent;
	case LETTER_STATUS:
		return &options->wants_status;
	case 'h':
		return &options->wants_help;
	case 'V':
		return &options->wants_version;
	default:
		return NULL;
	}
}

static void take_option(int letter, struct options *options)
{
	const char **value = value_of(letter, options);
	bool *flag = flag_of(letter, options);

	if (value != NULL)
		*value = optarg;
	else if (flag != NULL)
		*flag = true;
}

static bool refuse(const struct command *command, const char *what, const char *option,
		   struct error *err)
{
	return error_set(err, EX_USAGE, "%s %s (usage: rcptmap %s)", what, option, command->usage);
}

static const char *letter_text(int letter, char out_text[3])
{
	out_text[0] = '-';
	out_text[1] = (char)letter;
	out_text[2] = '\0';
	return out_text;
}

static bool is_long_only(int letter)
{
	static const char letters[] = { LETTER_JSON,           LETTER_FORCE,
					LETTER_LENIENT,        LETTER_NO_PROOF,
					LETTER_NO_SYNC,        LETTER_POSTCONF,
					LETTER_POSTFIX_CONFIG, LETTER_DRY_RUN,
					LETTER_POSTFIX,        LETTER_DOT,
					LETTER_QUIET,          LETTER_STATUS,
					LETTER_METRICS,        '\0' };

	return letter != '\0' && strchr(letters, letter) != NULL;
}

/* The option that getopt_long() could not take, as the user typed it. */
static const char *refused_text(char **argv, char out_text[3])
{
	const char *word = argv[optind - 1];

	/* Of a long option that doesn't exist it tells nothing but the place. */
	if (optopt == 0 || (is_long_only(optopt) && strncmp(word, "--", 2) == 0))
		return word;
	return letter_text(optopt, out_text);
}

/* It exists, but not here. */
static bool refuse_here(const struct command *command, int letter, struct error *err)
{
	char text[3];

	if (!is_long_only(letter))
		return refuse(command, "no place for option", letter_text(letter, text), err);
	for (const struct option *option = long_options; option->name != NULL; option++)
		if (option->val == letter)
			return error_set(err, EX_USAGE,
					 "no place for option --%s (usage: rcptmap %s)",
					 option->name, command->usage);
	return false;
}

static bool check_operands(const struct command *command, const struct options *options,
			   struct error *err)
{
	if (options->operand_count < command->least_operands)
		return error_set(err, EX_USAGE, "%s needs more (usage: rcptmap %s)", command->name,
				 command->usage);
	if (options->operand_count > command->most_operands)
		return refuse(command, "unexpected argument",
			      options->operands[command->most_operands], err);
	return true;
}

bool options_parse(const struct command *command, int argc, char **argv,
		   struct options *out_options, struct error *err)
{
	bool can_be_quiet = strchr(command->accepts, LETTER_QUIET) != NULL;
	const char *letters = can_be_quiet ? SHORT_OPTIONS("q") : SHORT_OPTIONS("q:");
	struct options options = { 0 };
	char text[3];
	int long_index = -1;
	int letter;

	opterr = 0;
	optind = 0; /* not 1: the order of options and words is chosen anew */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): only main() reads options */
	while ((letter = getopt_long(argc, argv, letters, long_options, &long_index)) != -1) {
		/* And not --query. */
		if (letter == 'q' && can_be_quiet && long_index < 0)
			letter = LETTER_QUIET;
		long_index = -1;
		if (letter == ':')
			return refuse(command, "a value is missing behind",
				      refused_text(argv, text), err);
		if (letter == '?')
			return refuse(command, "unknown option", refused_text(argv, text), err);
		if (letter != 'h' && letter != 'V' && strchr(command->accepts, letter) == NULL)
			return refuse_here(command, letter, err);
		if (letter == 'W' && !warning_choose(&options.warnings, optarg, err))
			return false;
		take_option(letter, &options);
	}
	options.operands = argv + optind;
	options.operand_count = argc - optind;
	/* Whoever asks for help needn't have the rest right. */
	if (!options.wants_help && !options.wants_version &&
	    !check_operands(command, &options, err))
		return false;
	*out_options = options;
	return true;
}

int options_find_word(int argc, char **argv)
{
	int letter;

	opterr = 0;
	optind = 0;
	/* The plus ends it at the first word. What is wrong is told when the command is known.
	 * NOLINTNEXTLINE(concurrency-mt-unsafe): only main() reads options */
	while ((letter = getopt_long(argc, argv, "+" SHORT_OPTIONS("q:"), long_options, NULL)) !=
	       -1)
		if (letter == 'q')
			return 0;
	return optind < argc ? optind : 0;
}
