/* SPDX-License-Identifier: BSD-2-Clause */
/* SQLite at its best: one prepared statement, the file mapped, no journal. */
#include "peer.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct sqlite {
	sqlite3 *database;
	sqlite3_stmt *statement;
};

static void run(sqlite3 *database, const char *commands)
{
	if (sqlite3_exec(database, commands, NULL, NULL, NULL) != SQLITE_OK)
		text_fail("sqlite", sqlite3_errmsg(database));
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *command)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(database, command, -1, &statement, NULL) != SQLITE_OK)
		text_fail("sqlite", sqlite3_errmsg(database));
	return statement;
}

static void bind(sqlite3_stmt *statement, int column, struct bytes text)
{
	if (sqlite3_bind_text(statement, column, text.data, (int)text.size, SQLITE_STATIC) !=
	    SQLITE_OK)
		text_fail("sqlite", "bind");
}

static void sqlite_build(const struct text_table *table, const char *path)
{
	sqlite3 *database;
	sqlite3_stmt *statement;

	(void)unlink(path); /* mostly not there */
	if (sqlite3_open(path, &database) != SQLITE_OK)
		text_fail(path, "can't be created");
	run(database, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
		      "PRAGMA cache_size=-262144; PRAGMA locking_mode=EXCLUSIVE;"
		      "CREATE TABLE aliases(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
		      "BEGIN");
	statement = prepare(database, "INSERT INTO aliases VALUES(?,?)");
	for (size_t i = 0; i < table->count; i++) {
		bind(statement, 1, table->entries[i].key);
		bind(statement, 2, table->entries[i].value);
		if (sqlite3_step(statement) != SQLITE_DONE)
			text_fail(path, sqlite3_errmsg(database));
		(void)sqlite3_reset(statement); /* repeats what step() said */
	}
	(void)sqlite3_finalize(statement);
	run(database, "COMMIT");
	(void)sqlite3_close(database);
}

static void *sqlite_open(const char *path)
{
	struct sqlite *sqlite = malloc(sizeof(*sqlite));
	char address[4096];

	(void)snprintf(address, sizeof(address), "file:%s?mode=ro&immutable=1", path);
	if (sqlite == NULL ||
	    sqlite3_open_v2(address, &sqlite->database,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		text_fail(path, "can't be opened");
	run(sqlite->database, "PRAGMA mmap_size=30000000000; PRAGMA cache_size=-65536");
	sqlite->statement = prepare(sqlite->database, "SELECT value FROM aliases WHERE name=?");
	return sqlite;
}

static void sqlite_close(void *handle)
{
	struct sqlite *sqlite = handle;

	(void)sqlite3_finalize(sqlite->statement);
	(void)sqlite3_close(sqlite->database);
	free(sqlite);
}

/* The value lives until the statement is reset, by the next look-up. */
static bool sqlite_fetch(void *handle, struct bytes key, struct bytes *out_value)
{
	struct sqlite *sqlite = handle;

	(void)sqlite3_reset(sqlite->statement);
	bind(sqlite->statement, 1, key);
	if (sqlite3_step(sqlite->statement) != SQLITE_ROW)
		return false;
	*out_value = bytes_make(sqlite3_column_text(sqlite->statement, 0),
				(size_t)sqlite3_column_bytes(sqlite->statement, 0));
	return true;
}

const struct peer peer_sqlite = {
	.name = "sqlite",
	.suffix = "sqlite",
	.build = sqlite_build,
	.open = sqlite_open,
	.close = sqlite_close,
	.fetch = sqlite_fetch,
	.is_fleeting = true,
};
