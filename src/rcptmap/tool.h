/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tool - what the subcommands share: how to fail, which settings and which table are meant.
 */
#ifndef RCPTMAP_TOOL_H
#define RCPTMAP_TOOL_H

#include <stdbool.h>

#include "base/error.h"
#include "rcptmap/options.h"
#include "settings/settings.h"
#include "table/table.h"

/* Print `rcptmap: TEXT`, unless it is empty (all was said), and return the exit status. */
int tool_fail(const struct error *err);

/*
 * The settings of -c, else of the default file if there is one, else the defaults. NULL on failure;
 * every mistake in the file has been printed then. End them with settings_free().
 */
struct settings *tool_settings(const struct options *options, struct error *err);

/*
 * Open the table of -t, else the configured one. Without -c a broken configuration is no hindrance
 * to -t. End it with table_close().
 */
struct table *tool_open_table(const struct options *options, struct error *err);

/* Open the table at PATH, which the owner that SETTINGS name may own, too. */
struct table *tool_open_path(const char *path, const struct settings *settings, struct error *err);

/* `TYPE:FILE` or `FILE`, taken apart; end it with tool_source_clear(). `hash:FILE` and its like of
 * Postfix are read as virtual(5), as postmap does. Status 64: no such type. */
bool tool_source(const char *text, struct settings_source *out_source, struct error *err);
void tool_source_clear(struct settings_source *source);

#endif
