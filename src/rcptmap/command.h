/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command - the subcommands, in command_<name>.c, and what they share: how to fail, which
 * settings and which table are meant.
 */
#ifndef RCPTMAP_COMMAND_H
#define RCPTMAP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "rcptmap/options.h"
#include "settings/settings.h"
#include "table/table.h"

int command_compile(const struct options *options);
int command_watch(const struct options *options);
int command_query(const struct options *options);
int command_resolve(const struct options *options);
int command_dump(const struct options *options);
int command_verify(const struct options *options);
int command_domains(const struct options *options);
int command_info(const struct options *options);
int command_diff(const struct options *options);
int command_history(const struct options *options);
int command_rollback(const struct options *options);
int command_config(const struct options *options);
int command_check_postfix(const struct options *options);
int command_sql(const struct options *options);

/* What postmap's users type: `rcptmap FILE`, `rcptmap -q KEY FILE`. */
int command_postmap(const struct options *options);

/* Print `rcptmap: TEXT`, unless it is empty (all was said), and return the exit status. */
int command_fail(const struct error *err);

/*
 * The settings of -c, else of the default file if there is one, else the defaults. NULL on failure;
 * every mistake in the file has been printed then. End them with settings_free().
 */
struct settings *command_settings(const struct options *options, struct error *err);

/*
 * The same without -c, where PATH, which is absolute, is the default file. Status 66: it isn't
 * there, but files of its `conf.d` are, which are read beside it alone.
 */
struct settings *command_default_settings(const char *path, struct error *err);

/*
 * Open the table of -t, else the configured one. Without -c a broken configuration is no hindrance
 * to -t. End it with table_close().
 */
struct table *command_open_table(const struct options *options, struct error *err);

/* Open the table at PATH, which the owner that SETTINGS name may own, too. */
struct table *command_open_path(const char *path, const struct settings *settings,
				struct error *err);

/* `TYPE:FILE` or `FILE`, taken apart; end it with settings_source_clear(). `hash:FILE` and its like
 * of Postfix are read as virtual(5), as postmap does. Status 64: no such type. */
bool command_source(const char *text, struct settings_source *out_source, struct error *err);

/* TEXT as a generation of the table. Status 64: it is none. */
bool command_generation(const char *text, uint64_t *out_generation, struct error *err);

/* Do both paths lead to the same file? False where either leads to none. */
bool command_is_same_file(const char *a, const char *b);

/* Print what `rcptmap query` answers to each of COUNT keys; `-` stands for those on standard input,
 * one a line. The result is the exit status: 0 something was found, 1 nothing was, 75 something
 * can't be told. */
int command_query_keys(const struct table *table, char **keys, int count);

#endif
