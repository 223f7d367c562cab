/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options - the command line of rcptctl.
 */
#ifndef RCPTCTL_OPTIONS_H
#define RCPTCTL_OPTIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "rcptctl/check.h"

struct options {
	const char *configuration;
	bool is_json;
	bool is_verbose;
	int seconds; /* 0: the command's own */
	struct check_limits limits;
	const char *command;
	char **operands;
	int operand_count;
};

/* Views into ARGUMENTS. False: end with the status of ERR; its text is empty where help or version
 * have been printed. Once. */
bool options_read(int count, char **arguments, struct options *out_options, struct error *err);

#endif
