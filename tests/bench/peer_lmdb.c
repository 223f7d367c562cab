/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LMDB, twice: with one transaction for all look-ups, which is the best it can do, and with one for
 * each and a copy of the value, which is what Postfix does.
 */
#include "peer.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { VALUE_ROOM = 64 * 1024 };

#define MAP_BYTES ((size_t)1 << 36)

struct lmdb {
	MDB_env *environment;
	MDB_txn *transaction;
	MDB_dbi database;
	char value[VALUE_ROOM];
};

static void check(const char *path, int outcome)
{
	if (outcome != MDB_SUCCESS)
		text_fail(path, mdb_strerror(outcome));
}

static MDB_env *open_environment(const char *path, unsigned flags)
{
	MDB_env *environment;

	check(path, mdb_env_create(&environment));
	check(path, mdb_env_set_mapsize(environment, MAP_BYTES));
	check(path, mdb_env_open(environment, path, MDB_NOSUBDIR | MDB_NOLOCK | flags, 0644));
	return environment;
}

static void lmdb_build(const struct text_table *table, const char *path)
{
	MDB_env *environment;
	MDB_txn *transaction;
	MDB_dbi database;

	(void)unlink(path); /* mostly not there */
	environment = open_environment(path, MDB_NOSYNC);
	check(path, mdb_txn_begin(environment, NULL, 0, &transaction));
	check(path, mdb_dbi_open(transaction, NULL, MDB_CREATE, &database));
	for (size_t i = 0; i < table->count; i++) {
		struct text_entry entry = table->entries[i];
		MDB_val key = { entry.key.size, (void *)(uintptr_t)entry.key.data };
		MDB_val value = { entry.value.size, (void *)(uintptr_t)entry.value.data };

		check(path, mdb_put(transaction, database, &key, &value, MDB_NOOVERWRITE));
	}
	check(path, mdb_txn_commit(transaction));
	mdb_env_close(environment);
}

static void begin(struct lmdb *lmdb)
{
	check("LMDB", mdb_txn_begin(lmdb->environment, NULL, MDB_RDONLY, &lmdb->transaction));
}

static void *lmdb_open(const char *path)
{
	struct lmdb *lmdb = malloc(sizeof(*lmdb));

	if (lmdb == NULL)
		text_fail(path, "no memory");
	lmdb->environment = open_environment(path, MDB_RDONLY | MDB_NOTLS);
	begin(lmdb);
	check(path, mdb_dbi_open(lmdb->transaction, NULL, 0, &lmdb->database));
	return lmdb;
}

static void lmdb_close(void *handle)
{
	struct lmdb *lmdb = handle;

	mdb_txn_abort(lmdb->transaction);
	mdb_env_close(lmdb->environment);
	free(lmdb);
}

static bool lmdb_fetch(void *handle, struct bytes key, struct bytes *out_value)
{
	struct lmdb *lmdb = handle;
	MDB_val name = { key.size, (void *)(uintptr_t)key.data };
	MDB_val value;

	if (mdb_get(lmdb->transaction, lmdb->database, &name, &value) != MDB_SUCCESS)
		return false;
	*out_value = bytes_make(value.mv_data, value.mv_size);
	return true;
}

static void *single_open(const char *path)
{
	struct lmdb *lmdb = lmdb_open(path);

	/* Keeps the handle of the database. */
	check(path, mdb_txn_commit(lmdb->transaction));
	lmdb->transaction = NULL;
	return lmdb;
}

static void single_close(void *handle)
{
	struct lmdb *lmdb = handle;

	mdb_env_close(lmdb->environment);
	free(lmdb);
}

static bool single_fetch(void *handle, struct bytes key, struct bytes *out_value)
{
	struct lmdb *lmdb = handle;
	struct bytes value;
	bool is_found;

	begin(lmdb);
	is_found = lmdb_fetch(lmdb, key, &value);
	if (is_found) {
		if (value.size > VALUE_ROOM)
			text_fail("LMDB", "value too long");
		memcpy(lmdb->value, value.data, value.size);
		*out_value = bytes_make(lmdb->value, value.size);
	}
	mdb_txn_abort(lmdb->transaction);
	return is_found;
}

const struct peer peer_lmdb = {
	.name = "lmdb",
	.suffix = "lmdb",
	.build = lmdb_build,
	.open = lmdb_open,
	.close = lmdb_close,
	.fetch = lmdb_fetch,
};

const struct peer peer_lmdb_transaction = {
	.name = "lmdb-transaction",
	.suffix = "lmdb",
	.open = single_open,
	.close = single_close,
	.fetch = single_fetch,
	.is_fleeting = true,
};
