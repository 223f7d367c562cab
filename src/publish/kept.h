/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kept - the tables that were in use before the one that is.
 *
 * Each lies beside it, under the table's name with its generation behind: `recipients.table.41`.
 * They are tables like any other. Only who has locked the table adds some or removes some.
 */
#ifndef PUBLISH_KEPT_H
#define PUBLISH_KEPT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"

struct kept_tables {
	uint64_t *generations; /* the newest first */
	size_t count;
};

/* Look for those of TABLE, a path. That none is there is no failure. End it with kept_free(). */
bool kept_list(const char *table, struct kept_tables *out_kept, struct error *err);
void kept_free(struct kept_tables *kept);

/* The newest; 0: there is none. */
bool kept_newest(const char *table, uint64_t *out_generation, struct error *err);

/* The generation that follows the INSTALLED one (0: it is gone, or can't be read) where NEWEST is
 * kept. None comes twice: one that is gone followed the newest. */
uint64_t kept_next(uint64_t newest, uint64_t installed);

/* False: the path is too long. */
bool kept_path(const char *table, uint64_t generation, char out_path[PATH_MAX], struct error *err);

/* Have file_output_install() keep the table that it replaces, which has GENERATION. */
bool kept_plan(struct file_output *output, uint64_t generation, struct error *err);

/* Remove all of TABLE but the MOST newest. */
bool kept_prune(const char *table, size_t most, struct error *err);

#endif
