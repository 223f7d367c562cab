/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postgresql - PostgreSQL as a source, by libpq.
 *
 * All rows come by COPY … TO STDOUT, which is the fastest way, and streams. libpq waits for a
 * server as long as it takes; so nothing here calls what waits but connecting, which has a time-out
 * of its own, and we wait ourselves. A server that is silent is left alone: to send it a
 * cancellation means to wait for it again. It notices by itself that we are gone, or was told how
 * long it may take.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "modules/postgresql.h"

enum {
	QUERY_BYTES_MAX = 1 << 24,
	CHECKS_CLIENT = 140000, /* the version from which a server looks whether we are there */
};

#define CANCELLED "57014" /* SQLSTATE */

/* ---- what went wrong ---------------------------------------------------------------------- */

/* Classes of SQLSTATE that pass: connection, transaction rolled back, resources, locks, somebody
 * ended it. */
static bool passes(const char *state)
{
	static const char *const classes[] = { "08", "40", "53", "55", "57" };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(state, classes[i], 2) == 0)
			return true;
	return false;
}

/* Ends RESULT, which may be NULL. */
static bool fail_result(struct database *database, PGresult *result, struct error *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *said = PQresultErrorMessage(result);
	bool is_cut = PQstatus(database->connection) == CONNECTION_BAD;
	int status = is_cut || (state != NULL && passes(state)) ? EX_TEMPFAIL : EX_UNAVAILABLE;

	database->is_cancelled = state != NULL && strcmp(state, CANCELLED) == 0;
	if (said[0] == '\0')
		said = PQerrorMessage(database->connection);
	(void)postgresql_fail(status, said, err);
	PQclear(result);
	return false;
}

bool postgresql_fail_connection(const struct database *database, struct error *err)
{
	return postgresql_fail(EX_TEMPFAIL, PQerrorMessage(database->connection), err);
}

static void ignore_notice(void *context, const char *text)
{
	(void)context;
	(void)text; /* nothing that we ask for is worth one */
}

static void postgresql_close(struct database *database)
{
	if (database == NULL)
		return;
	PQclear(database->result);
	PQfreemem(database->line);
	PQfinish(database->connection);
	buffer_free(&database->text);
	buffer_free(&database->check);
	buffer_free(&database->digest);
	buffer_free(&database->state);
	free(database);
}

static struct database *postgresql_open(const struct database_options *options, struct error *err)
{
	struct database *database = calloc(1, sizeof(*database));

	if (database == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	buffer_init(&database->text, QUERY_BYTES_MAX);
	buffer_init(&database->check, QUERY_BYTES_MAX);
	buffer_init(&database->digest, QUERY_BYTES_MAX);
	buffer_init(&database->state, QUERY_BYTES_MAX);
	database->timeout_ms = options->timeout_ms;
	if (!postgresql_connect(database, options, err)) {
		postgresql_close(database);
		return NULL;
	}
	(void)PQsetNoticeProcessor(database->connection, ignore_notice, NULL);
	return database;
}

static const char *postgresql_doubt(const struct database *database)
{
	return database->doubt[0] != '\0' ? database->doubt : NULL;
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* Until there is something to read, or with WRITES room to write. */
static bool wait_for(struct database *database, bool writes, struct error *err)
{
	int64_t deadline_ms = postgresql_now_ms() + database->timeout_ms;
	struct pollfd ready = {
		.fd = PQsocket(database->connection),
		.events = (short)(writes ? POLLIN | POLLOUT : POLLIN),
	};

	for (;;) {
		int64_t left_ms = deadline_ms - postgresql_now_ms();
		int count = left_ms > 0 ? poll(&ready, 1, (int)left_ms) : 0;

		if (count > 0)
			return true;
		if (count == 0) {
			database->is_late = true;
			return error_set(err, EX_TEMPFAIL, "the server said nothing for %d seconds",
					 database->timeout_ms / 1000);
		}
		if (errno != EINTR)
			return error_set_errno(err, EX_OSERR, "poll");
	}
}

static bool flush(struct database *database, struct error *err)
{
	for (;;) {
		int outcome = PQflush(database->connection);

		if (outcome == 0)
			return true;
		if (outcome < 0 || PQconsumeInput(database->connection) == 0)
			return postgresql_fail_connection(database, err);
		if (!wait_for(database, true, err))
			return false;
	}
}

/* The next result of what was sent; NULL in *OUT_RESULT: there is none any more. */
static bool take_result(struct database *database, PGresult **out_result, struct error *err)
{
	while (PQisBusy(database->connection)) {
		if (!wait_for(database, false, err))
			return false;
		if (PQconsumeInput(database->connection) == 0)
			return postgresql_fail_connection(database, err);
	}
	*out_result = PQgetResult(database->connection);
	return true;
}

/* Nothing may follow; an error that does is the error of what was before it. */
static bool take_end(struct database *database, struct error *err)
{
	PGresult *result = NULL;

	for (;;) {
		if (!take_result(database, &result, err))
			return false;
		if (result == NULL)
			return PQstatus(database->connection) == CONNECTION_OK ||
			       postgresql_fail_connection(database, err);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			return fail_result(database, result, err);
		PQclear(result);
	}
}

static bool send(struct database *database, const char *text, struct error *err)
{
	/* The extended protocol takes one statement, never two. */
	if (PQsendQueryParams(database->connection, text, 0, NULL, NULL, NULL, NULL, 0) == 0)
		return postgresql_fail_connection(database, err);
	return flush(database, err);
}

bool postgresql_run(struct database *database, const char *text, struct error *err)
{
	return send(database, text, err) && take_end(database, err);
}

/* ---- asking ------------------------------------------------------------------------------- */

/* A database without an encoding has any bytes. Whoever asks for UTF-8 gets an error that names no
 * row; as they are, whoever reads the rows will find the one. */
static bool take_any_bytes(struct database *database, struct error *err)
{
	const char *encoding = PQparameterStatus(database->connection, "server_encoding");

	return encoding == NULL || strcmp(encoding, "SQL_ASCII") != 0 ||
	       postgresql_run(database, "SET client_encoding TO 'SQL_ASCII'", err);
}

static bool postgresql_begin(struct database *database, struct error *err)
{
	if (!take_any_bytes(database, err))
		return false;
	if (!postgresql_run(database, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err))
		return false;
	return PQserverVersion(database->connection) < CHECKS_CLIENT ||
	       postgresql_run(database, "SET LOCAL client_connection_check_interval = '10s'", err);
}

static bool postgresql_end(struct database *database, struct error *err)
{
	return postgresql_run(database, "COMMIT", err);
}

/* COPY takes a query in brackets, where no semicolon may stand. */
static bool make_copy(struct database *database, const char *query, struct error *err)
{
	struct bytes text = bytes_trim(bytes_of(query));

	while (text.size > 0 && text.data[text.size - 1] == ';')
		text = bytes_trim(bytes_first(text, text.size - 1));
	buffer_clear(&database->text);
	(void)buffer_append_text(&database->text, "COPY ("); /* checked at the end */
	(void)buffer_append(&database->text, text);          /* likewise */
	(void)buffer_append_text(&database->text, ") TO STDOUT");
	(void)buffer_append_byte(&database->text, '\0'); /* likewise */
	return !database->text.has_failed || error_set_memory(err);
}

bool postgresql_query(struct database *database, const char *text, enum database_way way,
		      struct error *err)
{
	ExecStatusType wanted = way == DATABASE_ALL ? PGRES_COPY_OUT : PGRES_TUPLES_OK;
	PGresult *result;

	PQclear(database->result);
	database->result = NULL;
	database->row = 0;
	database->is_copy = way == DATABASE_ALL;
	if (database->is_copy && !make_copy(database, text, err))
		return false;
	if (!send(database, database->is_copy ? database->text.data : text, err) ||
	    !take_result(database, &result, err))
		return false;
	if (PQresultStatus(result) != wanted) {
		if (PQresultStatus(result) == PGRES_COMMAND_OK)
			(void)error_set(err, EX_UNAVAILABLE, "gives no rows: %s", text);
		else
			return fail_result(database, result, err);
		PQclear(result);
		return false;
	}
	if (database->is_copy) {
		PQclear(result);
		return true;
	}
	database->result = result;
	return take_end(database, err);
}

/* The byte that a letter behind a backslash stands for. */
static char unescape(char letter)
{
	static const char letters[] = "bfnrtv";
	static const char bytes[] = "\b\f\n\r\t\v";
	const char *at = letter == '\0' ? NULL : strchr(letters, letter);

	return at == NULL ? letter : bytes[at - letters];
}

/* Take SIZE bytes of a copy apart, in their place. */
static bool split(struct database *database, size_t size, struct database_row *out_row,
		  struct error *err)
{
	char *line = database->line;
	char *out = line, *begin = line;
	size_t count = 0;
	bool is_null = false;

	for (size_t i = 0; i < size; i++) {
		if (line[i] == '\\' && i + 1 < size) {
			i++;
			is_null |= line[i] == 'N';
			*out++ = unescape(line[i]);
			continue;
		}
		if (line[i] != '\t' && line[i] != '\n') {
			*out++ = line[i];
			continue;
		}
		if (count == VALUES_MAX)
			return error_set(err, EX_UNAVAILABLE, "more than %d columns",
					 (int)VALUES_MAX);
		database->values[count++] = (struct database_value){
			.text = bytes_make(begin, (size_t)(out - begin)),
			.is_null = is_null,
		};
		begin = out;
		is_null = false;
	}
	*out_row = (struct database_row){ database->values, count };
	return true;
}

static enum database_step next_copied(struct database *database, struct database_row *out_row,
				      struct error *err)
{
	int size;

	for (;;) {
		PQfreemem(database->line);
		database->line = NULL;
		size = PQgetCopyData(database->connection, &database->line, 1);
		if (size > 0)
			return split(database, (size_t)size, out_row, err) ? DATABASE_ROW
									   : DATABASE_FAILED;
		if (size == -1) /* only the result says whether that was all */
			return take_end(database, err) ? DATABASE_END : DATABASE_FAILED;
		if (size < 0 || !wait_for(database, false, err)) {
			if (size < 0)
				(void)postgresql_fail_connection(database, err);
			return DATABASE_FAILED;
		}
		if (PQconsumeInput(database->connection) == 0) {
			(void)postgresql_fail_connection(database, err);
			return DATABASE_FAILED;
		}
	}
}

enum database_step postgresql_next(struct database *database, struct database_row *out_row,
				   struct error *err)
{
	const PGresult *result = database->result;
	int count;

	if (database->is_copy)
		return next_copied(database, out_row, err);
	if (database->row >= PQntuples(result))
		return DATABASE_END;
	count = PQnfields(result);
	if (count > VALUES_MAX) {
		error_fill(err, EX_UNAVAILABLE, "more than %d columns", (int)VALUES_MAX);
		return DATABASE_FAILED;
	}
	for (int i = 0; i < count; i++)
		database->values[i] = (struct database_value){
			.text = bytes_make(PQgetvalue(result, database->row, i),
					   (size_t)PQgetlength(result, database->row, i)),
			.is_null = PQgetisnull(result, database->row, i) != 0,
		};
	database->row++;
	*out_row = (struct database_row){ database->values, (size_t)count };
	return DATABASE_ROW;
}

static bool postgresql_escape(struct database *database, struct bytes value, struct buffer *out,
			      struct error *err)
{
	char *room = buffer_extend(out, 2 * value.size + 1);
	int is_wrong = 0;
	size_t size;

	if (room == NULL)
		return error_set_memory(err);
	size = PQescapeStringConn(database->connection, room, value.data, value.size, &is_wrong);
	out->size -= 2 * value.size + 1 - size;
	return is_wrong == 0 ||
	       postgresql_fail(EX_UNAVAILABLE, PQerrorMessage(database->connection), err);
}

static const char *postgresql_library(void)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "libpq %d.%d", PQlibVersion() / 10000,
		       PQlibVersion() % 10000); /* fits */
	return text;
}

__attribute__((visibility("default"))) extern const struct database_module openrcpt_module;

const struct database_module openrcpt_module = {
	.version = DATABASE_MODULE_VERSION,
	.name = "postgresql",
	.client = postgresql_library,
	.open = postgresql_open,
	.close = postgresql_close,
	.doubt = postgresql_doubt,
	.begin = postgresql_begin,
	.end = postgresql_end,
	.query = postgresql_query,
	.next = postgresql_next,
	.escape = postgresql_escape,
	.follow = postgresql_follow,
	.wait = postgresql_wait,
};
