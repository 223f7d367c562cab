/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow_status - one line about `rcptmap watch`, and the exit status that a monitoring plugin has.
 */
#ifndef FOLLOW_FOLLOW_STATUS_H
#define FOLLOW_FOLLOW_STATUS_H

#include "base/buffer.h"
#include "service/plugin.h"
#include "settings/settings.h"

/*
 * Append `OPENRCPT OK: …` and the performance data to OUT, with a newline. SETTINGS NULL: they
 * can't be read, then the watcher of the default directory is asked. WARNING: a source is broken,
 * and the table stays; or it was rolled back; or a database is away for long. CRITICAL: for an
 * hour; nobody watches; there is no table.
 */
enum plugin_state follow_status(const struct settings *settings, struct buffer *out);

/* Append the line, likewise, of a plugin that can't look since TEXT is wrong. */
enum plugin_state follow_status_unknown(const char *text, struct buffer *out);

#endif
