/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/hash.h"

struct snapshot *snapshot_new(struct table *take_table, const struct settings *settings,
			      struct error *err)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (snapshot == NULL) {
		table_close(take_table);
		error_fill_memory(err);
		return NULL;
	}
	snapshot->table = take_table;
	if (!policy_init(&snapshot->policy, settings, err))
		goto failed;
	if (!hash_random_seed(&snapshot->seed)) {
		error_fill(err, EX_OSERR, "the system gives no random numbers");
		goto failed;
	}
	return snapshot;
failed:
	snapshot_free(snapshot);
	return NULL;
}

static enum table_load load_mode(const struct settings *settings)
{
	return settings->load == SETTINGS_LOAD_MAPPED ? TABLE_GUARDED : TABLE_COPIED;
}

struct snapshot *snapshot_load(const struct settings *settings, struct error *err)
{
	uid_t also_owner;
	struct table *table;

	if (!settings_table_owner(settings, &also_owner, err))
		return NULL;
	table = table_open(settings->table, also_owner, load_mode(settings), err);
	return table == NULL ? NULL : snapshot_new(table, settings, err);
}

struct snapshot *snapshot_load_descriptor(const struct settings *settings, int fd,
					  struct error *err)
{
	struct table *table = table_open_descriptor(settings->table, fd, load_mode(settings), err);

	return table == NULL ? NULL : snapshot_new(table, settings, err);
}

void snapshot_free(struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	table_close(snapshot->table);
	free(snapshot);
}

void snapshot_store_init(struct snapshot_store *store)
{
	*store = (struct snapshot_store){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

/* Give back one share; true: it was the last one, and the caller frees. Under the lock. */
static bool drop_share(struct snapshot *snapshot)
{
	return snapshot != NULL && --snapshot->users == 0;
}

void snapshot_publish(struct snapshot_store *store, struct snapshot *take_snapshot)
{
	struct snapshot *before;
	bool is_last;

	(void)pthread_mutex_lock(&store->lock); /* can't fail: initialised, not recursive */
	before = store->current;
	take_snapshot->users = 1;
	store->current = take_snapshot;
	is_last = drop_share(before);
	(void)pthread_mutex_unlock(&store->lock);
	/* Outside of the lock: giving back a large table takes milliseconds. */
	if (is_last)
		snapshot_free(before);
}

struct snapshot *snapshot_acquire(struct snapshot_store *store)
{
	struct snapshot *snapshot;

	(void)pthread_mutex_lock(&store->lock); /* can't fail: initialised, not recursive */
	snapshot = store->current;
	if (snapshot != NULL)
		snapshot->users++;
	(void)pthread_mutex_unlock(&store->lock);
	return snapshot;
}

void snapshot_release(struct snapshot_store *store, struct snapshot *snapshot)
{
	bool is_last;

	(void)pthread_mutex_lock(&store->lock); /* can't fail: initialised, not recursive */
	is_last = drop_share(snapshot);
	(void)pthread_mutex_unlock(&store->lock);
	if (is_last)
		snapshot_free(snapshot);
}

void snapshot_store_clear(struct snapshot_store *store)
{
	if (store->current != NULL)
		snapshot_release(store, store->current);
	store->current = NULL;
	(void)pthread_mutex_destroy(&store->lock); /* nobody holds it */
}
