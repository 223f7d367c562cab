/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remembered - which files were compiled last, and in which state, in a small file beside the
 * table.
 *
 * With it who watches can tell, also after a boot, whether a source has changed since, without
 * compiling: an older table that was put in place by hand stays then. Devices aren't remembered,
 * since their numbers may be others after a boot. Only the one who watches writes.
 */
#ifndef FOLLOW_REMEMBERED_H
#define FOLLOW_REMEMBERED_H

#include <stdbool.h>

#include "base/error.h"
#include "follow/watched.h"

/* Of the table at TABLE: keep all of WATCHED, as they were compiled. False: what is remembered is
 * older, or nothing. */
bool remembered_write(const char *table, const struct watched *watched, struct error *err);

/* Watch them, and CONFIGURATION has to be one: all that is watched then was compiled as it is
 * remembered. WATCHED has to be empty. False: it still is, for that can't be told. */
bool remembered_read(const char *table, const char *configuration, struct watched *watched);

#endif
