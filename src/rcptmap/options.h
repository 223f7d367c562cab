/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options - the command line of every subcommand, taken apart in one place.
 *
 * A subcommand is a row: which options it accepts, how many operands, and what runs it. Bad usage
 * is one sentence and status 64. What is in `struct options` points into argv.
 */
#ifndef RCPTMAP_OPTIONS_H
#define RCPTMAP_OPTIONS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "sources/warnings.h"

/* Options that have only a long name; their letters in `accepts`. */
enum {
	LETTER_JSON = 'j',
	LETTER_DOT = 'G',
	LETTER_FORCE = 'f',
	LETTER_LENIENT = 'l',
	LETTER_NO_PROOF = 'P',
	LETTER_NO_SYNC = 'S',
	LETTER_POSTCONF = 'p',
	LETTER_POSTFIX_CONFIG = 'C',
	LETTER_DRY_RUN = 'D',
	LETTER_POSTFIX = 'F',
	LETTER_QUIET = 'Q',
	LETTER_STATUS = 's',
	LETTER_METRICS = 'm',
};

struct options {
	const char *table;              /* -t */
	const char *configuration;      /* -c */
	const char *output;             /* -o */
	const char *key;                /* -q */
	const char *postconf;           /* --postconf */
	const char *postfix_directory;  /* --postfix-config */
	const char *metrics;            /* --metrics */
	bool is_brief;                  /* -n: check only; settings that differ from the default */
	bool wants_defaults;            /* -d */
	bool is_verbose;                /* -v */
	bool is_json;                   /* --json */
	bool is_dot;                    /* --dot */
	bool is_forced;                 /* --force */
	bool is_lenient;                /* --lenient */
	bool skips_proof;               /* --no-proof */
	bool skips_sync;                /* --no-sync */
	bool is_for_postfix;            /* --postfix */
	bool wants_status;              /* --status */
	struct warning_choice warnings; /* -W, -q */
	bool wants_help;                /* -h */
	bool wants_version;             /* -V */
	char **operands;
	int operand_count;
};

struct command {
	const char *name;
	/* Letters of options, those above among them; -h and -V are always accepted. */
	const char *accepts;
	int least_operands;
	int most_operands;
	/* The result is the exit status; whatever there is to say was printed. */
	int (*run)(const struct options *options);
	const char *usage;   /* what follows `rcptmap ` */
	const char *summary; /* a clause for the help */
};

enum { OPERANDS_ANY = 1 << 30 };

/* ARGV[0] is the name of the subcommand. The order of ARGV may change. */
bool options_parse(const struct command *command, int argc, char **argv,
		   struct options *out_options, struct error *err);

/* Append a line an option that COMMAND accepts; what that is for, too. */
void options_help(const struct command *command, struct buffer *out_text);

/* Where in ARGV the first word that is no option stands, which may be a subcommand's name. 0: there
 * is none, or -q comes before it, so that a file is meant as postmap means it. */
int options_find_word(int argc, char **argv);

#endif
