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

#include "base/error.h"

struct options {
	const char *table;             /* -t */
	const char *configuration;     /* -c */
	const char *output;            /* -o */
	const char *key;               /* -q */
	const char *postconf;          /* --postconf */
	const char *postfix_directory; /* --postfix-config */
	const char *metrics;           /* --metrics */
	bool is_brief;                 /* -n: check only; settings that differ from the default */
	bool wants_defaults;           /* -d */
	bool is_verbose;               /* -v */
	bool is_json;                  /* --json */
	bool is_forced;                /* --force */
	bool is_lenient;               /* --lenient */
	bool skips_proof;              /* --no-proof */
	bool skips_sync;               /* --no-sync */
	bool is_for_postfix;           /* --postfix */
	bool wants_status;             /* --status */
	bool wants_help;               /* -h */
	bool wants_version;            /* -V */
	char **operands;
	int operand_count;
};

struct command {
	const char *name;
	/* Of options.c's letters; -h and -V are always accepted. */
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

/* Where in ARGV the first word that is no option stands, which may be a subcommand's name. 0: there
 * is none, or -q comes before it, so that a file is meant as postmap means it. */
int options_find_word(int argc, char **argv);

#endif
