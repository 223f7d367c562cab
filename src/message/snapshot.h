/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot - the table and the policy that answer now, counted.
 *
 * A snapshot never changes. A message holds one from MAIL to its end, also while a new one is
 * published; whoever gives back the last share of an old one frees it. Finding the current one and
 * counting oneself as its user are one step under one lock. All functions are thread-safe.
 */
#ifndef MESSAGE_SNAPSHOT_H
#define MESSAGE_SNAPSHOT_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "message/policy.h"
#include "settings/settings.h"
#include "table/table.h"

struct snapshot {
	struct table *table;
	struct policy policy;
	uint64_t seed; /* of the sets that a message keeps */
	size_t users;  /* under the lock of the store; being current counts as one */
};

struct snapshot_store {
	pthread_mutex_t lock;
	struct snapshot *current;
};

/* Load the table that SETTINGS name, with the policy that they describe. NULL on failure, see ERR.
 */
struct snapshot *snapshot_load(const struct settings *settings, struct error *err);

/* The same with the table that FD has, instead of the one that has the name now. FD stays open. */
struct snapshot *snapshot_load_descriptor(const struct settings *settings, int fd,
					  struct error *err);

/* The same with a table that is open already and belongs to the snapshot from now on, also where
 * the result is NULL. */
struct snapshot *snapshot_new(struct table *take_table, const struct settings *settings,
			      struct error *err);
/* End one that was never published. */
void snapshot_free(struct snapshot *snapshot);

void snapshot_store_init(struct snapshot_store *store);

/* TAKE_SNAPSHOT is the current one from now on. */
void snapshot_publish(struct snapshot_store *store, struct snapshot *take_snapshot);

/* A share of the current one; NULL before the first was published. */
struct snapshot *snapshot_acquire(struct snapshot_store *store);
void snapshot_release(struct snapshot_store *store, struct snapshot *snapshot);

/* Once nobody holds a share any more. */
void snapshot_store_clear(struct snapshot_store *store);

#endif
