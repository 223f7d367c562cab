/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mysql - MariaDB and MySQL as a source, by MariaDB's Connector/C.
 *
 * Rows come one by one while the server makes them (mysql_use_result), which nothing may disturb:
 * whoever gives up in the middle closes the connection. The library has time-outs of its own for
 * each time that it waits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "modules/mysql.h"

enum { BINARY_CHARSET = 63 };

static void module_close(struct database *database)
{
	if (database == NULL)
		return;
	/* To free a result means to read what is left of it, for which nobody waits: so there is
	 * nothing left. */
	if (database->result != NULL)
		(void)shutdown(mysql_get_socket(database->handle), SHUT_RD); /* or it is read */
	mysql_free_result(database->result);
	mysql_follow_free(database->follow);
	if (database->handle != NULL)
		mysql_close(database->handle);
	free(database);
}

static struct database *module_open(const struct database_options *options, struct error *err)
{
	struct database *database = calloc(1, sizeof(*database));

	if (database == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	database->timeout_ms = options->timeout_ms;
	database->may_have_no_rows = options->may_have_no_rows;
	if (!mysql_module_connect(database, options, err)) {
		module_close(database);
		return NULL;
	}
	return database;
}

static const char *module_doubt(const struct database *database)
{
	return database->doubt[0] != '\0' ? database->doubt : NULL;
}

/* ---- asking ------------------------------------------------------------------------------- */

/* A snapshot is that of the engine; what has none is the caller's to notice. */
static bool module_begin(struct database *database, struct error *err)
{
	return mysql_module_ask(database, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
				err) &&
	       mysql_module_ask(database, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
				err);
}

static bool module_end(struct database *database, struct error *err)
{
	return mysql_module_ask(database, "COMMIT", err);
}

/* Does the database compare the column without regard to case, and to blanks at the end? What has a
 * collation by bytes, and what is a number, is marked as binary. */
static bool ignores_case(const MYSQL_FIELD *field)
{
	return field->charsetnr != BINARY_CHARSET && (field->flags & BINARY_FLAG) == 0;
}

static bool describe_columns(struct database *database, struct error *err)
{
	unsigned count = mysql_num_fields(database->result);
	const MYSQL_FIELD *fields = mysql_fetch_fields(database->result);

	if (count > VALUES_MAX)
		return error_set(err, EX_UNAVAILABLE, "more than %d columns", (int)VALUES_MAX);
	for (unsigned i = 0; i < count; i++)
		database->values[i].ignores_case = ignores_case(&fields[i]);
	return true;
}

static bool module_query(struct database *database, const char *text, enum database_way way,
			 struct error *err)
{
	if (!mysql_module_ask(database, text, err))
		return false;
	if (mysql_field_count(database->handle) == 0)
		return database->may_have_no_rows ||
		       error_set(err, EX_UNAVAILABLE, "gives no rows: %s", text);
	database->result = way == DATABASE_ALL ? mysql_use_result(database->handle)
					       : mysql_store_result(database->handle);
	return database->result != NULL ? describe_columns(database, err)
					: mysql_module_fail_last(database, err);
}

/* A procedure ends with one more result, which has no rows. */
static enum database_step take_end(struct database *database, struct error *err)
{
	mysql_free_result(database->result); /* its rows were read */
	database->result = NULL;
	while (mysql_more_results(database->handle)) {
		if (mysql_next_result(database->handle) > 0) {
			(void)mysql_module_fail_last(database, err);
			return DATABASE_FAILED;
		}
		if (mysql_field_count(database->handle) == 0)
			continue;
		error_fill(err, EX_UNAVAILABLE, "gives more than one set of rows");
		return DATABASE_FAILED;
	}
	return DATABASE_END;
}

static enum database_step module_next(struct database *database, struct database_row *out_row,
				      struct error *err)
{
	const unsigned long *sizes;
	MYSQL_ROW row;
	unsigned count;

	if (database->result == NULL)
		return take_end(database, err);
	database->began_ms = mysql_module_now_ms();
	row = mysql_fetch_row(database->result);
	if (row == NULL && mysql_errno(database->handle) != 0) {
		(void)mysql_module_fail_last(database, err);
		return DATABASE_FAILED;
	}
	if (row == NULL)
		return take_end(database, err);
	count = mysql_num_fields(database->result);
	sizes = mysql_fetch_lengths(database->result);
	for (unsigned i = 0; i < count; i++) {
		database->values[i].text = bytes_make(row[i], sizes[i]);
		database->values[i].is_null = row[i] == NULL;
	}
	*out_row = (struct database_row){ database->values, count };
	return DATABASE_ROW;
}

static bool module_escape(struct database *database, struct bytes value, struct buffer *out,
			  struct error *err)
{
	size_t room_bytes = 2 * value.size + 1;
	char *room = buffer_extend(out, room_bytes);

	if (room == NULL)
		return error_set_memory(err);
	out->size -= room_bytes -
		     mysql_real_escape_string(database->handle, room, value.data, value.size);
	return true;
}

static const char *module_library(void)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "MariaDB Connector/C %s",
		       mysql_get_client_info()); /* may be cut */
	return text;
}

__attribute__((visibility("default"))) extern const struct database_module openrcpt_module;

const struct database_module openrcpt_module = {
	.version = DATABASE_MODULE_VERSION,
	.name = "mysql",
	.client = module_library,
	.open = module_open,
	.close = module_close,
	.doubt = module_doubt,
	.begin = module_begin,
	.end = module_end,
	.query = module_query,
	.next = module_next,
	.escape = module_escape,
	.follow = mysql_follow_begin,
	.wait = mysql_follow_wait,
};
