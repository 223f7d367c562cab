/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_check - `rcptmap check-postfix`: what in a Postfix configuration would make mail to our
 * domains go wrong, each with a command that mends it.
 *
 * Looks at the service as Postfix's tools tell it, and asks the daemon's socket whether somebody
 * answers there; changes nothing. Runs programs, so it has a process of its own.
 */
#ifndef POSTFIX_CHECK_POSTFIX_CHECK_H
#define POSTFIX_CHECK_POSTFIX_CHECK_H

#include <stdio.h>

#include "base/error.h"
#include "settings/settings.h"
#include "table/table.h"

struct postfix_check_options {
	const struct settings *settings;
	const struct table *table; /* whose domains are looked for */
	const char *table_path;
	const char *postconf;  /* program; NULL: wherever it is */
	const char *directory; /* of main.cf; NULL: Postfix's own choice */
	FILE *output;          /* two lines a problem */
};

/* An exit status: 0 all was looked at, and is well; 1 there are problems, or something that could
 * not be looked at; else ERR says why nobody knows anything. */
int postfix_check(const struct postfix_check_options *options, struct error *err);

#endif
