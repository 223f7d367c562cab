/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin - what a monitoring plugin says: one line, and an exit status.
 *
 * The convention is that of the Monitoring Plugins' development guidelines: whatever goes wrong
 * within the plugin, wrong usage too, is UNKNOWN, and what is shown is standard output alone.
 */
#ifndef SERVICE_PLUGIN_H
#define SERVICE_PLUGIN_H

#include "base/buffer.h"
#include "base/bytes.h"

/* The exit statuses; a worse one that is known is a larger one. */
enum plugin_state { PLUGIN_OK, PLUGIN_WARNING, PLUGIN_CRITICAL, PLUGIN_UNKNOWN };

/* The word for STATE. */
const char *plugin_word(enum plugin_state state);

/* Append TEXT, which may be anything, as a part of the line: without `|`, behind which the numbers
 * stand, and without control characters of ASCII, which have a blank in their place. A failure is
 * the buffer's. */
void plugin_put(struct bytes text, struct buffer *out);

#endif
