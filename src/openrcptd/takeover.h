/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * takeover - all that the master has, for the program that takes its place in the same process.
 *
 * Sockets, lock, workers, counters and the table are descriptors and children of the process, and
 * stay; which is which is written into a file without a name that can't be changed any more, and
 * its descriptor is in the environment. The settings are read anew; those of before come along, for
 * where that fails.
 */
#ifndef OPENRCPTD_TAKEOVER_H
#define OPENRCPTD_TAKEOVER_H

#include <stdbool.h>

#include "openrcptd/master_inside.h"

/* Become the program that the master's reexec has asked. Comes back only where that failed: nothing
 * has changed then. */
void takeover_give(struct master *master, struct error *err);

struct takeover;

/* At the start: what there is to be taken over. NULL with a status of 0 in ERR: nothing, it is a
 * start like any other. With another status: it is there, and can't be understood. */
struct takeover *takeover_open(struct error *err);
void takeover_free(struct takeover *takeover);

/* The file of the settings; as long as TAKEOVER. */
const char *takeover_file(const struct takeover *takeover);

/* The settings that were in force, for the caller, who ends them; once. NULL: this program has
 * others, and can't read them. */
struct settings *takeover_take_settings(struct takeover *takeover);

/* Put all of it into MASTER, which has its new settings already, and gets those of before beside
 * them. A setting that can't be had leaves things as they were, and is logged. */
void takeover_take(struct takeover *takeover, struct master *master);

#endif
