/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * same_content - do two tables say the same, so that it isn't worth while to keep both?
 *
 * Where compilations come by the clock most change nothing, and what is kept would reach back for
 * minutes only. Keys, what they lead to, rules, domains and patterns count; lines and generations
 * don't.
 */
#ifndef PUBLISH_SAME_CONTENT_H
#define PUBLISH_SAME_CONTENT_H

#include <stdbool.h>

#include "table/table.h"

/* False also where that can't be told. As long as all is the same this reads all of both. */
bool same_content(const struct table *a, const struct table *b);

/* The same of the table at PATH, which is mapped for as long as this takes. ALSO_OWNER as for
 * table_open(). */
bool same_content_as_file(const struct table *table, const char *path, uid_t also_owner);

#endif
