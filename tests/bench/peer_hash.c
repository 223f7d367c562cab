/* SPDX-License-Identifier: BSD-2-Clause */
/* Berkeley DB's hash with the cache that Postfix gives a table it reads: 128 KiB. */
#include "peer.h"

#include <db.h>
#include <unistd.h>

enum {
	READ_CACHE_BYTES = 128 * 1024,        /* berkeley_db_read_buffer_size */
	BUILD_CACHE_BYTES = 16 * 1024 * 1024, /* berkeley_db_create_buffer_size */
};

static void check(const char *path, int outcome)
{
	if (outcome != 0)
		text_fail(path, db_strerror(outcome));
}

static DB *create(const char *path, unsigned cache_bytes)
{
	DB *db;

	check(path, db_create(&db, NULL, 0));
	check(path, db->set_cachesize(db, 0, cache_bytes, 0));
	return db;
}

static void hash_build(const struct text_table *table, const char *path)
{
	DB *db = create(path, BUILD_CACHE_BYTES);

	(void)unlink(path); /* mostly not there */
	check(path, db->open(db, NULL, path, NULL, DB_HASH, DB_CREATE, 0644));
	for (size_t i = 0; i < table->count; i++) {
		struct text_entry entry = table->entries[i];
		DBT key = { .data = (void *)(uintptr_t)entry.key.data,
			    .size = (unsigned)entry.key.size };
		DBT value = { .data = (void *)(uintptr_t)entry.value.data,
			      .size = (unsigned)entry.value.size };

		check(path, db->put(db, NULL, &key, &value, DB_NOOVERWRITE));
	}
	check(path, db->close(db, DB_NOSYNC));
}

static void *hash_open(const char *path)
{
	DB *db = create(path, READ_CACHE_BYTES);

	check(path, db->open(db, NULL, path, NULL, DB_HASH, DB_RDONLY, 0644));
	return db;
}

static void hash_close(void *handle)
{
	DB *db = handle;

	(void)db->close(db, DB_NOSYNC); /* only read */
}

static bool hash_fetch(void *handle, struct bytes key, struct bytes *out_value)
{
	DB *db = handle;
	DBT name = { .data = (void *)(uintptr_t)key.data, .size = (unsigned)key.size };
	DBT value = { .data = NULL };

	if (db->get(db, NULL, &name, &value, 0) != 0)
		return false;
	*out_value = bytes_make(value.data, value.size);
	return true;
}

const struct peer peer_hash = {
	.name = "hash",
	.suffix = "hash",
	.build = hash_build,
	.open = hash_open,
	.close = hash_close,
	.fetch = hash_fetch,
	.is_fleeting = true,
};
