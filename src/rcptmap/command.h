/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command - the subcommands, one command_<name>.c each, and their table.
 */
#ifndef RCPTMAP_COMMAND_H
#define RCPTMAP_COMMAND_H

#include "rcptmap/options.h"

int command_compile(const struct options *options);
int command_query(const struct options *options);
int command_resolve(const struct options *options);
int command_dump(const struct options *options);
int command_verify(const struct options *options);
int command_info(const struct options *options);
int command_diff(const struct options *options);
int command_config(const struct options *options);

/* What postmap's users type: `rcptmap FILE`, `rcptmap -q KEY FILE`. */
int command_postmap(const struct options *options);

#endif
