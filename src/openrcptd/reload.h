/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload - take over settings, load the table, and publish both if, and only if, they are sound.
 *
 * The settings were read and checked by a settings_reader: no file is read here but the table.
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
	const struct settings *started;
	struct settings *current; /* in force; NULL: as STARTED */
	struct snapshot_store *store;
	struct watch watch;
	bool has_told_of_doubt; /* about the table in use */
};

/* STARTED must stay. */
void reload_init(struct reload *reload, const struct settings *started,
		 struct snapshot_store *store);
void reload_close(struct reload *reload);

/* Load the table that the settings in force name. */
bool reload_table(struct reload *reload, struct error *err);

/* From now on the settings are those that SETTINGS_FD has, and nothing else changes: for a worker
 * that begins, and loads the table next. SETTINGS_FD: see settings_reader_result(). */
bool reload_adopt(struct reload *reload, int settings_fd, struct error *err);

/* Load the table that the settings of SETTINGS_FD name, and take both over. False: logged, nothing
 * changed. */
bool reload_all(struct reload *reload, int settings_fd);

/* Look whether the table was replaced, and load it then. NOW_SECONDS as for watch_check(). */
void reload_if_replaced(struct reload *reload, uint64_t now_seconds);

#endif
