/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_name - what a source that is a database is called in messages, in the table and in the
 * log.
 */
#ifndef PLAN_SOURCE_NAME_H
#define PLAN_SOURCE_NAME_H

#include <stdbool.h>

#include "base/buffer.h"
#include "settings/settings.h"

/* Without a `name`. */
#define SOURCE_NAME_FIRST "main"

/* Append it to OUT: the member `name`, which isn't judged here; without it, of a table of Postfix,
 * the name of its file, as far as it makes one. False: OUT has failed. */
bool source_name_put(const struct settings_source *source, struct buffer *out);

#endif
