/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload - load settings and table, and publish them if, and only if, they are sound.
 *
 * Whatever is wrong with new ones is logged, and the old ones stay. One thread at a time.
 */
#ifndef OPENRCPTD_RELOAD_H
#define OPENRCPTD_RELOAD_H

#include <stdbool.h>

#include "base/error.h"
#include "message/snapshot.h"
#include "service/watch.h"
#include "settings/settings.h"

struct reload {
	const struct settings *started; /* in force for what needs a restart */
	struct settings *current;       /* in force for everything else; NULL: as STARTED */
	struct snapshot_store *store;
	struct watch watch;
};

/* STARTED must stay. */
void reload_init(struct reload *reload, const struct settings *started,
		 struct snapshot_store *store);
void reload_close(struct reload *reload);

/* Load the table that the settings in force name. */
bool reload_table(struct reload *reload, struct error *err);

/* Read the settings anew, and load the table that they name. False: logged, nothing changed. */
bool reload_all(struct reload *reload);

/* Look whether the table was replaced, and load it then. NOW_SECONDS as for watch_check(). */
void reload_if_replaced(struct reload *reload, uint64_t now_seconds);

#endif
