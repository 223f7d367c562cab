/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload - take over settings, load the table, and publish both if, and only if, they are sound.
 *
 * The settings were read and checked by a settings_reader: no file is read here but the table.
 * Whatever is wrong with new ones is logged, and the old ones stay: once, again where it is
 * something else, and each hour as long as it lasts. One thread at a time.
 */
#ifndef OPENRCPTD_RELOAD_H
#define OPENRCPTD_RELOAD_H

#include <stdbool.h>

#include "base/error.h"
#include "message/snapshot.h"
#include "service/watch.h"
#include "settings/settings.h"

enum { RELOAD_SAY_AGAIN_SECONDS = 3600 };

struct reload {
	const struct settings *started;
	struct settings *current; /* in force; NULL: as STARTED */
	struct snapshot_store *store;
	struct watch watch;
	bool has_told_of_doubt; /* about the table in use */
	uid_t also_owner;       /* of the file that was loaded; TRUST_NOBODY: see trust.h */
	struct error trouble;   /* with the file; status 0: none */
	uint64_t said_at;       /* the trouble; 0: before there was a clock to ask */
	bool serves_copy;       /* of a table whose file can't be had */
	bool has_news;          /* a table is in use of which reload_take_copy() hasn't made one */
};

/* STARTED must stay. */
void reload_init(struct reload *reload, const struct settings *started,
		 struct snapshot_store *store);
void reload_close(struct reload *reload);

/* Load the table that the settings in force name. */
bool reload_table(struct reload *reload, struct error *err);

/* The same for a worker that follows another one: where the file can't be had, serve COPY_FD, the
 * table_copy of the last table that was in use, or -1. Where that can't be had either, serve
 * nothing until there is a table: messages are deferred. Says what is wrong. */
void reload_table_or_copy(struct reload *reload, int copy_fd);

/* A table_copy of the table in use, for the master; the caller closes it. -1: the master has it, or
 * there can be none, which is logged. */
int reload_take_copy(struct reload *reload);

/* From now on the settings are those that SETTINGS_FD has, and nothing else changes: for a worker
 * that begins, and loads the table next. SETTINGS_FD: see settings_reader_result(). */
bool reload_adopt(struct reload *reload, int settings_fd, struct error *err);

/* Load the table that the settings of SETTINGS_FD name, and take both over. False: logged, nothing
 * changed. */
bool reload_all(struct reload *reload, int settings_fd);

/* Where the table is that the settings in force name. */
const char *reload_path(const struct reload *reload);

/* Look whether the table was replaced, and load it then. NOW_SECONDS as for watch_check(). */
void reload_if_replaced(struct reload *reload, uint64_t now_seconds);

#endif
