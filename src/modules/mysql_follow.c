/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mysql_follow - hear of changes, from a server that tells nobody of them.
 *
 * It keeps for each table when it was last changed, by the second. It is asked just behind the
 * beginning of each second of its own clock: what was committed in the one before is all there
 * then, and one commit is told once. A time that is no older than the question is told again when
 * the second is over, since others may have committed in it. Engines that keep no time have their
 * tables summed up.
 */
#include <mysqld_error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "modules/mysql.h"

enum {
	SECOND_MS = 1000,
	BEHIND_MS = 50, /* the clock of files and tables may be a little late */
	SUM_EVERY_MS = 30000,
	PART_OF_PATIENCE = 10, /* by which the server gives up sooner than we */
	TEXT_BYTES_MAX = 1 << 20,
	NAME_BYTES = 512,
};

struct mysql_follow {
	bool is_deaf;           /* to some of it: it never says NONE */
	struct buffer question; /* when was each of the tables changed? */
	struct buffer sum;      /* of those whose engine doesn't say; empty: there is none */
	struct buffer changed;  /* the last answer, and the one before */
	struct buffer changed_before;
	struct buffer summed;
	struct buffer summed_before;
	int64_t ask_at_ms;
	int64_t sum_at_ms;
};

/* ---- names -------------------------------------------------------------------------------- */

/* A table, as it is called inside of the server. */
struct name {
	char schema[NAME_BYTES];
	char table[NAME_BYTES];
};

/* The next part of a name as a query has it, perhaps in quotes; cut where it is too long for any
 * table. False: that was the last. */
static bool next_part(const char **rest, char *out_part)
{
	const char *at = *rest;
	char quote = *at == '`' || *at == '"' ? *at++ : '\0';
	size_t size = 0;

	while (*at != '\0' && (quote != '\0' || *at != '.')) {
		if (*at == quote && *++at != quote)
			break;
		if (size + 1 < NAME_BYTES)
			out_part[size++] = *at;
		at++;
	}
	out_part[size] = '\0';
	*rest = *at == '.' ? at + 1 : at;
	return *at == '.';
}

/* `alias`, `mail.alias`: without a schema it is the one of the connection. */
static void read_name(const char *text, const char *schema, struct name *out_name)
{
	memcpy(out_name->schema, schema, strlen(schema) + 1);
	while (next_part(&text, out_name->table))
		memcpy(out_name->schema, out_name->table, NAME_BYTES);
}

static void put_text(struct database *database, struct buffer *out, const char *text)
{
	size_t size = strlen(text), room_bytes = 2 * size + 1;
	char *room;

	(void)buffer_append_byte(out, '\''); /* checked at the end, as the rest */
	room = buffer_extend(out, room_bytes);
	if (room != NULL)
		out->size -=
			room_bytes - mysql_real_escape_string(database->handle, room, text, size);
	(void)buffer_append_byte(out, '\'');
}

static void put_name(struct buffer *out, const char *name)
{
	(void)buffer_append_byte(out, '`'); /* checked at the end, as the rest */
	for (; *name != '\0'; name++) {
		if (*name == '`')
			(void)buffer_append_byte(out, '`');
		(void)buffer_append_byte(out, *name);
	}
	(void)buffer_append_byte(out, '`');
}

/* ---- questions ---------------------------------------------------------------------------- */

/* The rows of STATEMENT, all of them; NULL: see ERR. */
static MYSQL_RES *ask_rows(struct database *database, const struct buffer *statement,
			   struct error *err)
{
	MYSQL_RES *rows;

	if (statement->has_failed) {
		error_fill_memory(err);
		return NULL;
	}
	if (!mysql_module_ask(database, statement->data, err))
		return NULL;
	rows = mysql_store_result(database->handle);
	if (rows == NULL)
		(void)mysql_module_fail_last(database, err);
	return rows;
}

/* The columns of all rows but the last COLUMNS_LESS, in *OUT; the last row stays in *OUT_LAST. */
static void put_rows(MYSQL_RES *rows, unsigned columns_less, struct buffer *out, int *out_last)
{
	unsigned count = mysql_num_fields(rows);
	MYSQL_ROW row;

	buffer_clear(out);
	while ((row = mysql_fetch_row(rows)) != NULL) {
		for (unsigned i = 0; i + columns_less < count; i++) {
			(void)buffer_append_text(out, row[i] != NULL ? row[i] : "-");
			(void)buffer_append_byte(out, '\n'); /* checked by the caller, as all */
		}
		if (columns_less > 0 && row[count - 1] != NULL)
			*out_last = (int)strtol(row[count - 1], NULL, 10);
	}
}

/* When each table was changed, and made; and when in a second of the server it was asked. */
static bool ask_changes(struct database *database, struct error *err)
{
	struct mysql_follow *follow = database->follow;
	int64_t asked_ms = mysql_module_now_ms();
	MYSQL_RES *rows = ask_rows(database, &follow->question, err);
	int microseconds = 0;

	if (rows == NULL)
		return false;
	put_rows(rows, 1, &follow->changed, &microseconds);
	mysql_free_result(rows);
	follow->ask_at_ms = asked_ms + SECOND_MS - microseconds / 1000 + BEHIND_MS;
	return !follow->changed.has_failed || error_set_memory(err);
}

/* What takes too long to be summed up may be read in time. */
static bool fail_sums(const struct database *database, struct error *err)
{
	if (mysql_errno(database->handle) == ER_STATEMENT_TIMEOUT ||
	    mysql_module_now_ms() - database->began_ms >= database->timeout_ms)
		err->status = EX_UNAVAILABLE;
	return false;
}

/* A table that can't be opened, or that takes too long, has no sum, for which there is a warning.
 * That there is none of its name is seen by its time, too. */
static bool judge_warnings(struct database *database, struct error *err)
{
	struct buffer question;
	MYSQL_RES *rows;
	MYSQL_ROW row;
	bool is_good = true;

	buffer_init(&question, TEXT_BYTES_MAX);
	(void)buffer_append_text(&question, "SHOW WARNINGS"); /* checked there */
	rows = ask_rows(database, &question, err);
	buffer_free(&question);
	if (rows == NULL)
		return false;
	while (is_good && (row = mysql_fetch_row(rows)) != NULL) {
		long code = row[1] != NULL ? strtol(row[1], NULL, 10) : 0;

		if (code != ER_NO_SUCH_TABLE)
			is_good = mysql_module_fail(code == ER_STATEMENT_TIMEOUT ? EX_UNAVAILABLE
										 : EX_TEMPFAIL,
						    row[2] != NULL ? row[2] : "no sum", err);
	}
	mysql_free_result(rows);
	return is_good;
}

static bool ask_sums(struct database *database, struct error *err)
{
	struct mysql_follow *follow = database->follow;
	MYSQL_RES *rows = ask_rows(database, &follow->sum, err);
	int ignored;

	if (rows == NULL)
		return fail_sums(database, err);
	put_rows(rows, 0, &follow->summed, &ignored);
	mysql_free_result(rows);
	follow->sum_at_ms = mysql_module_now_ms() + SUM_EVERY_MS;
	if (follow->summed.has_failed)
		return error_set_memory(err);
	return mysql_warning_count(database->handle) == 0 || judge_warnings(database, err);
}

/* Is NOW something else than BEFORE? It is what comes before, from here on. */
static bool differs(struct buffer *now, struct buffer *before)
{
	struct buffer old = *before;
	bool is_other = !bytes_equal(buffer_bytes(now), buffer_bytes(before));

	*before = *now;
	*now = old;
	return is_other;
}

/* ---- what to ask -------------------------------------------------------------------------- */

static void put_question(struct database *database, const struct name *name, const char *columns,
			 struct buffer *out)
{
	if (out->size > 0)
		(void)buffer_append_text(out, " UNION ALL "); /* checked at the end, as the rest */
	(void)buffer_append_format(
		out, "SELECT %s FROM information_schema.tables WHERE table_schema = ", columns);
	put_text(database, out, name->schema);
	(void)buffer_append_text(out, " AND table_name = ");
	put_text(database, out, name->table);
}

/* TRUNCATE leaves the time as it is, so whether it is empty is asked, too. One statement for all
 * tables would have the server look at all that it has; for one table it looks at that one. */
static void put_time(struct database *database, const struct name *name)
{
	put_question(database, name,
		     "CONCAT_WS(' ', table_schema, table_name, IFNULL(create_time, '-'), "
		     "IFNULL(UNIX_TIMESTAMP(update_time), '-'), "
		     "IF(update_time >= NOW(), 'yet', ''), IF(table_rows = 0, 'empty', '')), "
		     "MICROSECOND(NOW(6))",
		     &database->follow->question);
}

static void put_sum(struct database *database, const struct name *name)
{
	struct buffer *sum = &database->follow->sum;

	(void)buffer_append_text(sum, sum->size > 0 ? ", " : "CHECKSUM TABLE ");
	put_name(sum, name->schema); /* checked at the end, as the rest */
	(void)buffer_append_byte(sum, '.');
	put_name(sum, name->table);
}

/* What is a table, and keeps the time, is asked for it; TYPE and ENGINE are those of the server. */
static void take_table(struct database *database, const struct name *name, const char *type,
		       const char *engine, struct buffer *out_doubt)
{
	static const char *const keep[] = { "InnoDB", "MyISAM" };
	bool keeps_time = false;

	if (strstr(type, "VIEW") != NULL) {
		database->follow->is_deaf = true;
		(void)buffer_append_format(out_doubt,
					   "%s is a view: changes behind it are not told\n",
					   name->table); /* may be cut: only told */
		return;
	}
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		keeps_time |= strcmp(engine, keep[i]) == 0;
	put_time(database, name);
	if (keeps_time)
		return;
	put_sum(database, name);
	(void)buffer_append_format(out_doubt,
				   "%s: its engine (%s) doesn't keep when it was changed: it is "
				   "summed up every %d seconds\n",
				   name->table, engine, SUM_EVERY_MS / 1000); /* likewise */
}

/* One that isn't there may come; or it is a name that WITH has given to a query. */
static bool find_table(struct database *database, const struct name *name, struct buffer *out_doubt,
		       struct error *err)
{
	struct buffer question;
	MYSQL_RES *rows;
	MYSQL_ROW row;

	buffer_init(&question, TEXT_BYTES_MAX);
	put_question(database, name, "table_type, IFNULL(engine, '?')", &question);
	rows = ask_rows(database, &question, err);
	buffer_free(&question);
	if (rows == NULL)
		return false;
	row = mysql_fetch_row(rows);
	if (row != NULL)
		take_table(database, name, row[0], row[1], out_doubt);
	else
		put_time(database, name);
	mysql_free_result(rows);
	return true;
}

/* Is this function, or procedure, somebody's own, and may read? NO SQL says its maker. */
static bool find_function(struct database *database, const struct name *name,
			  struct buffer *out_doubt, struct error *err)
{
	struct buffer question;
	MYSQL_RES *rows;

	buffer_init(&question, TEXT_BYTES_MAX);
	(void)buffer_append_text(
		&question, "SELECT 1 FROM information_schema.routines WHERE "
			   "sql_data_access <> 'NO SQL' AND routine_schema = "); /* checked there */
	put_text(database, &question, name->schema);
	(void)buffer_append_text(&question, " AND routine_name = ");
	put_text(database, &question, name->table);
	rows = ask_rows(database, &question, err);
	buffer_free(&question);
	if (rows == NULL)
		return false;
	if (mysql_num_rows(rows) > 0) {
		database->follow->is_deaf = true;
		(void)buffer_append_format(out_doubt,
					   "%s may read what isn't told of: such changes are seen "
					   "each follow_seconds\n",
					   name->table); /* may be cut: only told */
	}
	mysql_free_result(rows);
	return true;
}

static bool read_schema(struct database *database, char *out_schema, struct error *err)
{
	struct buffer question;
	MYSQL_RES *rows;
	MYSQL_ROW row;

	buffer_init(&question, TEXT_BYTES_MAX);
	(void)buffer_append_text(&question, "SELECT IFNULL(DATABASE(), '')"); /* checked there */
	rows = ask_rows(database, &question, err);
	buffer_free(&question);
	if (rows == NULL)
		return false;
	row = mysql_fetch_row(rows);
	out_schema[0] = '\0';
	if (row != NULL && row[0] != NULL && strlen(row[0]) < NAME_BYTES)
		memcpy(out_schema, row[0], strlen(row[0]) + 1);
	mysql_free_result(rows);
	return true;
}

/* False: it failed for another reason than that the server doesn't know it. */
static bool may_set(struct database *database, const char *statement, struct error *err)
{
	return mysql_module_ask(database, statement, err) ||
	       mysql_errno(database->handle) == ER_UNKNOWN_SYSTEM_VARIABLE;
}

/* What nobody waits for any more the server ends by itself, or sooner where whoever runs it says
 * so; it doesn't miss who is gone. MySQL knows this of SELECT alone, under another name. */
static bool limit_time(struct database *database, struct error *err)
{
	int limit_ms = database->timeout_ms - database->timeout_ms / PART_OF_PATIENCE;
	char text[200];

	(void)snprintf(text, sizeof(text),
		       "SET SESSION max_statement_time = LEAST("
		       "IF(@@max_statement_time > 0, @@max_statement_time, 1e9), %d.%03d)",
		       limit_ms / 1000, limit_ms % 1000); /* fits */
	return may_set(database, text, err);
}

/* Rows may come in time where a sum over all of them doesn't: that is no outage. */
static bool begin_sums(struct database *database, struct error *err)
{
	if (database->follow->sum.size == 0 || ask_sums(database, err))
		return true;
	if (err->status == EX_UNAVAILABLE)
		error_fill(err, EX_UNAVAILABLE, "the tables gave no sum in time");
	return false;
}

/* Times without a summer; and MySQL gives the time of yesterday unless it is told not to, of which
 * MariaDB knows nothing. */
static bool prepare(struct database *database, struct error *err)
{
	if (!mysql_module_ask(database, "SET SESSION time_zone = '+00:00'", err))
		return false;
	return limit_time(database, err) &&
	       may_set(database, "SET SESSION information_schema_stats_expiry = 0", err);
}

/* ---- the module --------------------------------------------------------------------------- */

void mysql_follow_free(struct mysql_follow *follow)
{
	if (follow == NULL)
		return;
	buffer_free(&follow->question);
	buffer_free(&follow->sum);
	buffer_free(&follow->changed);
	buffer_free(&follow->changed_before);
	buffer_free(&follow->summed);
	buffer_free(&follow->summed_before);
	free(follow);
}

static struct mysql_follow *follow_new(void)
{
	struct mysql_follow *follow = calloc(1, sizeof(*follow));

	if (follow == NULL)
		return NULL;
	buffer_init(&follow->question, TEXT_BYTES_MAX);
	buffer_init(&follow->sum, TEXT_BYTES_MAX);
	buffer_init(&follow->changed, TEXT_BYTES_MAX);
	buffer_init(&follow->changed_before, TEXT_BYTES_MAX);
	buffer_init(&follow->summed, TEXT_BYTES_MAX);
	buffer_init(&follow->summed_before, TEXT_BYTES_MAX);
	return follow;
}

bool mysql_follow_begin(struct database *database, const char *const *tables,
			const char *const *functions, struct buffer *out_doubt, struct error *err)
{
	char schema[NAME_BYTES];
	struct name name;

	database->follow = follow_new();
	if (database->follow == NULL)
		return error_set_memory(err);
	if (!prepare(database, err) || !read_schema(database, schema, err))
		return false;
	for (; *tables != NULL; tables++) {
		read_name(*tables, schema, &name);
		if (!find_table(database, &name, out_doubt, err))
			return false;
	}
	for (; *functions != NULL; functions++) {
		read_name(*functions, schema, &name);
		if (!find_function(database, &name, out_doubt, err))
			return false;
	}
	if (database->follow->question.size == 0)
		return error_set(err, EX_CONFIG,
				 "the queries read no table whose changes could be told");
	if (!ask_changes(database, err) || !begin_sums(database, err))
		return false;
	(void)differs(&database->follow->changed, &database->follow->changed_before);
	(void)differs(&database->follow->summed, &database->follow->summed_before);
	return true;
}

static void sleep_until(int64_t when_ms)
{
	int64_t wait_ms = when_ms - mysql_module_now_ms();
	struct timespec wait;

	if (wait_ms <= 0)
		return;
	wait = (struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000 };
	(void)nanosleep(&wait, NULL); /* where a signal ends it, it is asked a little early */
}

static enum database_news look(struct database *database, struct error *err)
{
	struct mysql_follow *follow = database->follow;
	bool is_other;

	if (!ask_changes(database, err))
		return DATABASE_NEWS_FAILED;
	is_other = differs(&follow->changed, &follow->changed_before);
	if (follow->sum.size > 0 && mysql_module_now_ms() >= follow->sum_at_ms) {
		if (!ask_sums(database, err))
			return DATABASE_NEWS_FAILED;
		is_other |= differs(&follow->summed, &follow->summed_before);
	}
	return is_other ? DATABASE_NEWS_CHANGED : DATABASE_NEWS_NONE;
}

/* Where there is a view, or a function, nobody can say that nothing has changed; and where there
 * are sums, only who has just made them. */
enum database_news mysql_follow_wait(struct database *database, int timeout_ms, struct error *err)
{
	const struct mysql_follow *follow = database->follow;
	int64_t end_ms = mysql_module_now_ms() + timeout_ms;
	bool has_sums = follow->sum.size > 0;
	enum database_news news;
	bool is_over;

	do {
		int64_t at_ms = follow->ask_at_ms, sum_at_ms = follow->sum_at_ms;

		sleep_until(at_ms < end_ms || follow->is_deaf || has_sums ? at_ms : end_ms);
		news = look(database, err);
		is_over =
			has_sums ? follow->sum_at_ms != sum_at_ms : mysql_module_now_ms() >= end_ms;
	} while (news == DATABASE_NEWS_NONE && (follow->is_deaf || !is_over));
	return news;
}
