/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "settings/settings.h"

enum {
	SECONDS_MAX = 86400,
	OPTION_JSON = 256,
	OPTION_TIMEOUT,
	/* The limits of check: warning and critical of each. */
	OPTION_AGE,
	OPTION_DEFERRED = OPTION_AGE + 2,
	OPTION_SESSIONS = OPTION_DEFERRED + 2,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "age-warning", required_argument, NULL, OPTION_AGE },
	{ "age-critical", required_argument, NULL, OPTION_AGE + 1 },
	{ "deferred-warning", required_argument, NULL, OPTION_DEFERRED },
	{ "deferred-critical", required_argument, NULL, OPTION_DEFERRED + 1 },
	{ "sessions-warning", required_argument, NULL, OPTION_SESSIONS },
	{ "sessions-critical", required_argument, NULL, OPTION_SESSIONS + 1 },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
	"usage: rcptctl [OPTION...] status | stats | sessions | reload | reexec | check\n"
	"       rcptctl [OPTION...] resolve ADDRESS...\n"
	"       rcptctl -h | -V\n";

static const char usage_more[] =
	"\n"
	"  status     what the daemon serves, and since when\n"
	"  stats      what it has done, a counter a line\n"
	"  sessions   how many sessions there are, and may be\n"
	"  reload     load settings and table anew, and tell whether it worked\n"
	"  reexec     become the program that is installed now, and tell whether it worked\n"
	"  resolve    what it answers now, as rcptmap resolve\n"
	"  check      is all well? As a monitoring plugin: 0, 1, 2 or 3\n"
	"\n"
	"  -c, --config CONF                read this configuration\n"
	"      --json                       print one object\n"
	"      --timeout SECONDS            wait so long for the answer\n"
	"  -v, --verbose                    resolve: show the keys that were tried, too\n"
	"      --age-warning SECONDS        check: warn of a table that is so old\n"
	"      --age-critical SECONDS       or take it for critical\n"
	"      --deferred-warning PERCENT   check: so many recipients that were deferred\n"
	"      --deferred-critical PERCENT  likewise\n"
	"      --sessions-warning PERCENT   check: so many of the sessions that may be\n"
	"      --sessions-critical PERCENT  likewise\n"
	"  -h, --help                       show how it is used\n"
	"  -V, --version                    print the version\n";

static double *limit_of(struct check_limits *limits, int letter)
{
	struct check_limit *of[] = { &limits->age_seconds, &limits->deferred_percent,
				     &limits->sessions_percent };
	int number = letter - OPTION_AGE;

	return number % 2 == 0 ? &of[number / 2]->warning : &of[number / 2]->critical;
}

static bool read_number(const char *text, double most, double *out_number)
{
	char *end;
	double number;

	errno = 0;
	number = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !(number >= 0 && number <= most))
		return false;
	*out_number = number;
	return true;
}

/* False, and no error: it was printed. */
static bool print(const char *text, const char *more, struct error *err)
{
	bool is_done = fputs(text, stdout) >= 0 && fputs(more, stdout) >= 0 && fflush(stdout) == 0;

	*err = (struct error){ .status = EX_OK };
	if (!is_done)
		error_fill_errno(err, EX_IOERR, "standard output");
	return false;
}

/* Which one getopt_long() could not take; a long one that isn't known it tells by its place. */
static bool refuse(const char *what, char **arguments, struct error *err)
{
	char text[] = "-?";

	text[1] = (char)optopt;
	return error_set(err, EX_USAGE, "%s %s (see rcptctl -h)", what,
			 optopt > 0 && optopt < OPTION_JSON ? text : arguments[optind - 1]);
}

static bool take_option(int letter, char **arguments, struct options *options, struct error *err)
{
	double number;

	switch (letter) {
	case 'c':
		options->configuration = optarg;
		return true;
	case 'v':
		options->is_verbose = true;
		return true;
	case OPTION_JSON:
		options->is_json = true;
		return true;
	case 'h':
		return print(usage, usage_more, err);
	case 'V':
		return print("rcptctl " OPENRCPT_VERSION, "\n", err);
	case ':':
		return refuse("a value is missing behind", arguments, err);
	case '?':
		return refuse("unknown option", arguments, err);
	case OPTION_TIMEOUT:
		if (!read_number(optarg, SECONDS_MAX, &number) || number < 1)
			break;
		options->seconds = (int)number;
		return true;
	default:
		if (!read_number(optarg, letter < OPTION_DEFERRED ? 1e12 : 100,
				 limit_of(&options->limits, letter)))
			break;
		return true;
	}
	return error_set(err, EX_USAGE, "%s is no such number", optarg);
}

bool options_read(int count, char **arguments, struct options *out_options, struct error *err)
{
	int letter;

	opterr = 0;
	*out_options = (struct options){
		.configuration = SETTINGS_DEFAULT_FILE,
		.limits = CHECK_LIMITS_DEFAULT,
	};
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
	while ((letter = getopt_long(count, arguments, ":c:vhV", long_options, NULL)) != -1)
		if (!take_option(letter, arguments, out_options, err))
			return false;
	if (optind == count)
		return error_set(err, EX_USAGE, "what is to be done? (see rcptctl -h)");
	out_options->command = arguments[optind];
	out_options->operands = arguments + optind + 1;
	out_options->operand_count = count - optind - 1;
	return true;
}
