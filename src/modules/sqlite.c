/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite - a file of SQLite as a source.
 *
 * In rollback mode a reader keeps writers waiting, in WAL mode it doesn't. A WAL database that no
 * writer has open can only be read by who may make files beside it; to read the main file alone
 * would miss what is in the log.
 */
#include <sqlite3.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "modules/module.h"

enum { STEPS_A_LOOK = 10000, VALUES_MAX = 100, LOOK_MS = 200 };

struct database {
	sqlite3 *handle;
	sqlite3_stmt *statement;
	int timeout_ms;
	int64_t deadline_ms;
	struct database_value values[VALUES_MAX];
	char path[PATH_MAX];
	dev_t device; /* of the file that is open, or of one that had its name before */
	ino_t inode;
	int64_t version; /* of one that follows: what SQLite counts commits of others by */
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail: the clock is there */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Called by SQLite now and then: is it time to give up? */
static int is_late(void *context)
{
	const struct database *database = context;

	return now_ms() > database->deadline_ms;
}

/* Does the file say that it is in WAL mode? */
static bool has_log(const char *path)
{
	enum { VERSION_AT = 18, WAL_VERSION = 2 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char version = 0;
	bool is_wal = fd >= 0 && pread(fd, &version, 1, VERSION_AT) == 1 && version == WAL_VERSION;

	if (fd >= 0)
		(void)close(fd); /* was only read */
	return is_wal;
}

static bool fail(const struct database *database, struct error *err)
{
	int code = sqlite3_errcode(database->handle);

	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return error_set_memory(err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return error_set(err, EX_TEMPFAIL, "%s: was locked by somebody for %d seconds",
				 database->path, database->timeout_ms / 1000);
	case SQLITE_INTERRUPT:
		return error_set(err, EX_TEMPFAIL, "%s: no row came within %d seconds",
				 database->path, database->timeout_ms / 1000);
	default:
		break;
	}
	/* What SQLite says of a log that it may not make is no help to anybody. */
	if (((code & 0xff) == SQLITE_READONLY || (code & 0xff) == SQLITE_CANTOPEN) &&
	    has_log(database->path))
		return error_set(err, EX_UNAVAILABLE,
				 "%s: is in WAL mode, and we may not make its -shm and -wal files: "
				 "run this as a user who may write the directory, or make a copy "
				 "with VACUUM INTO",
				 database->path);
	return error_set(err, EX_UNAVAILABLE, "%s: %s", database->path,
			 sqlite3_errmsg(database->handle));
}

static void sqlite_close(struct database *database)
{
	if (database == NULL)
		return;
	(void)sqlite3_finalize(database->statement); /* repeats the error of the last step */
	(void)sqlite3_close(database->handle);       /* no statement is left */
	free(database);
}

/* Which file has the name is asked before it is opened: where another one takes it in between, the
 * one that is open counts as replaced. */
static bool open_file(struct database *database, struct error *err)
{
	struct stat status = { .st_ino = 0 };
	int code;

	(void)stat(database->path, &status); /* SQLite says why it can't be opened */
	database->device = status.st_dev;
	database->inode = status.st_ino;
	code = sqlite3_open_v2(database->path, &database->handle, SQLITE_OPEN_READONLY, NULL);
	if (database->handle == NULL)
		return error_set_memory(err);
	if (code != SQLITE_OK)
		return fail(database, err);
	(void)sqlite3_extended_result_codes(database->handle,
					    1); /* only sets a flag, as these do */
	(void)sqlite3_busy_timeout(database->handle, database->timeout_ms);
	sqlite3_progress_handler(database->handle, STEPS_A_LOOK, is_late, database);
	return true;
}

static struct database *sqlite_open(const struct database_options *options, struct error *err)
{
	const char *path = options->connection != NULL ? options->connection : options->name;
	struct database *database;

	if (path == NULL || path[0] != '/') {
		error_fill(err, EX_CONFIG,
			   "the file of a SQLite database must be an absolute path");
		return NULL;
	}
	database = calloc(1, sizeof(*database));
	if (database == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	if (snprintf(database->path, sizeof(database->path), "%s", path) >=
	    (int)sizeof(database->path)) {
		error_fill(err, EX_CONFIG, "%s: the path is too long", path);
		goto out;
	}
	database->timeout_ms = options->timeout_ms;
	if (open_file(database, err))
		return database;
out:
	sqlite_close(database);
	return NULL;
}

static const char *sqlite_doubt(const struct database *database)
{
	(void)database;
	return NULL; /* it is a file */
}

static bool run(struct database *database, const char *text, struct error *err)
{
	database->deadline_ms = now_ms() + database->timeout_ms;
	return sqlite3_exec(database->handle, text, NULL, NULL, NULL) == SQLITE_OK ||
	       fail(database, err);
}

/* The snapshot begins with the first row that is read, so one is read at once. */
static bool sqlite_begin(struct database *database, struct error *err)
{
	return run(database, "BEGIN; SELECT 1 FROM sqlite_master LIMIT 1", err);
}

static bool sqlite_end(struct database *database, struct error *err)
{
	return run(database, "COMMIT", err);
}

static bool sqlite_query(struct database *database, const char *text, enum database_way way,
			 struct error *err)
{
	const char *rest = NULL;

	(void)way;                                   /* rows come one by one either way */
	(void)sqlite3_finalize(database->statement); /* repeats an error that was told */
	database->statement = NULL;
	database->deadline_ms = now_ms() + database->timeout_ms;
	if (sqlite3_prepare_v2(database->handle, text, -1, &database->statement, &rest) !=
	    SQLITE_OK)
		return fail(database, err);
	if (database->statement == NULL || rest[0] != '\0')
		return error_set(err, EX_UNAVAILABLE, "%s: not one statement: %s", database->path,
				 text);
	if (!sqlite3_stmt_readonly(database->statement))
		return error_set(err, EX_UNAVAILABLE, "%s: would write: %s", database->path, text);
	if (sqlite3_column_count(database->statement) > VALUES_MAX)
		return error_set(err, EX_UNAVAILABLE, "%s: more than %d columns", database->path,
				 (int)VALUES_MAX);
	return true;
}

static enum database_step sqlite_next(struct database *database, struct database_row *out_row,
				      struct error *err)
{
	sqlite3_stmt *statement = database->statement;
	int count;

	database->deadline_ms = now_ms() + database->timeout_ms;
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		break;
	case SQLITE_DONE:
		return DATABASE_END;
	default:
		(void)fail(database, err);
		return DATABASE_FAILED;
	}
	count = sqlite3_column_count(statement);
	for (int i = 0; i < count; i++) {
		struct database_value *value = &database->values[i];
		const void *text = sqlite3_column_text(statement, i);

		value->is_null = sqlite3_column_type(statement, i) == SQLITE_NULL;
		value->text = bytes_make(text, (size_t)sqlite3_column_bytes(statement, i));
		if (text == NULL && !value->is_null &&
		    sqlite3_errcode(database->handle) == SQLITE_NOMEM) {
			error_fill_memory(err);
			return DATABASE_FAILED;
		}
	}
	*out_row = (struct database_row){ database->values, (size_t)count };
	return DATABASE_ROW;
}

static bool sqlite_escape(struct database *database, struct bytes value, struct buffer *out,
			  struct error *err)
{
	(void)database;
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '\'')
			(void)buffer_append_byte(out, '\''); /* checked at the end */
		(void)buffer_append_byte(out, value.data[i]);
	}
	return !out->has_failed || error_set_memory(err);
}

/* ---- following ----------------------------------------------------------------------------- */

/* In WAL mode a commit leaves the file as it is, and nothing else but this number shows all of
 * them. It changes for commits of others alone. */
static bool read_version(struct database *database, int64_t *out_version, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	bool is_read;

	database->deadline_ms = now_ms() + database->timeout_ms;
	is_read = sqlite3_prepare_v2(database->handle, "PRAGMA data_version", -1, &statement,
				     NULL) == SQLITE_OK &&
		  sqlite3_step(statement) == SQLITE_ROW;
	if (is_read)
		*out_version = sqlite3_column_int64(statement, 0);
	else
		(void)fail(database, err);
	(void)sqlite3_finalize(statement); /* repeats an error that was told */
	return is_read;
}

static bool sqlite_follow(struct database *database, const char *const *tables,
			  const char *const *functions, struct buffer *out_doubt, struct error *err)
{
	(void)tables; /* a commit is one of the whole file, and there is nothing else to read */
	(void)functions;
	(void)out_doubt;
	if (read_version(database, &database->version, err))
		return true;
	/* Nor can it be read: that is to be mended, and is noticed soon. */
	if (err->status == EX_UNAVAILABLE)
		err->status = EX_TEMPFAIL;
	return false;
}

/* What is open stays that file, whoever has its name now. */
static bool is_replaced(const struct database *database)
{
	struct stat status;

	return stat(database->path, &status) != 0 || status.st_dev != database->device ||
	       status.st_ino != database->inode;
}

static bool open_anew(struct database *database, struct error *err)
{
	(void)sqlite3_close(database->handle); /* no statement is left */
	database->handle = NULL;
	return open_file(database, err) && read_version(database, &database->version, err);
}

static enum database_news sqlite_wait(struct database *database, int timeout_ms, struct error *err)
{
	int64_t deadline_ms = now_ms() + timeout_ms;
	int64_t version;

	for (;;) {
		if (is_replaced(database))
			return open_anew(database, err) ? DATABASE_NEWS_CHANGED
							: DATABASE_NEWS_FAILED;
		if (!read_version(database, &version, err))
			return DATABASE_NEWS_FAILED;
		if (version != database->version) {
			database->version = version;
			return DATABASE_NEWS_CHANGED;
		}
		if (now_ms() >= deadline_ms)
			return DATABASE_NEWS_NONE;
		(void)poll(NULL, 0, LOOK_MS); /* less is no harm */
	}
}

static const char *sqlite_library(void)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "SQLite %s", sqlite3_libversion()); /* fits */
	return text;
}

__attribute__((visibility("default"))) extern const struct database_module openrcpt_module;

const struct database_module openrcpt_module = {
	.version = DATABASE_MODULE_VERSION,
	.name = "sqlite",
	.client = sqlite_library,
	.open = sqlite_open,
	.close = sqlite_close,
	.doubt = sqlite_doubt,
	.begin = sqlite_begin,
	.end = sqlite_end,
	.query = sqlite_query,
	.next = sqlite_next,
	.escape = sqlite_escape,
	.follow = sqlite_follow,
	.wait = sqlite_wait,
};
