/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postgresql_follow - hear of what is committed.
 *
 * Triggers that `rcptmap sql` prints say NOTIFY openrcpt, which is delivered at the commit. Where
 * that can't be relied on - a table has no such trigger, a pooler hands each of our statements to
 * another process of the server, a standby delivers nothing - the tables are asked each few seconds
 * for a digest of all they hold. The counters of pg_stat_user_tables would be cheaper, but they
 * come late, can be switched off or reset, don't move on a standby and know no views. So that a
 * digest costs little, none is asked for as long as the server's snapshot is the same, in which
 * case nothing was committed anywhere; and no more than a twentieth of the time is spent on it. But
 * what a foreign table has, or a view of one, changes without a commit here.
 *
 * What a function reads that a query calls can't be asked for. A function of somebody's own that
 * isn't called IMMUTABLE may read anything, and silence says nothing then.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "modules/postgresql.h"

enum {
	POLL_MS = 3000,
	POLL_SHARE = 20,
	SELF_TEST_MS = 3000,
	PART_OF_PATIENCE = 10, /* by which the server gives up sooner than we */
	STATE_BYTES_MAX = 1 << 16,
	QUESTION_BYTES_MAX = 1 << 24,
	HAS_SUBSCRIPTIONS = 100000, /* the version of the server */
};

/* Whoever listens hears it of all who begin to. */
#define SELF_TEST "self-test "

/* ---- one value ----------------------------------------------------------------------------- */

/* The first value of what QUESTION answers into OUT, with a NUL behind it; of NULL it is empty. */
static bool ask(struct database *database, const char *question, struct buffer *out,
		struct error *err)
{
	struct database_row row;

	buffer_clear(out);
	if (!postgresql_query(database, question, DATABASE_ONE, err))
		return false;
	if (postgresql_next(database, &row, err) != DATABASE_ROW)
		return error_set(err, EX_UNAVAILABLE, "gives no row: %.200s", question);
	(void)buffer_append(out, row.values[0].text); /* told with the last byte */
	return buffer_append_byte(out, '\0') || error_set_memory(err);
}

static bool is_answer(const struct database *database, const char *text)
{
	return strcmp(database->text.data, text) == 0;
}

/* ---- what is asked of the tables ------------------------------------------------------------ */

static bool put_literal(const struct database *database, const char *text, struct buffer *out)
{
	char *literal = PQescapeLiteral(database->connection, text, strlen(text));
	bool is_put = literal != NULL && buffer_append_text(out, literal);

	PQfreemem(literal);
	return is_put;
}

/* Append `(VALUES …) v (n)` with the NAMES. */
static void put_names(const struct database *database, const char *const *names, struct buffer *out)
{
	(void)buffer_append_text(out, "(VALUES "); /* told at the end, as the rest */
	for (size_t i = 0; names[i] != NULL; i++) {
		(void)buffer_append_text(out, i > 0 ? ", (" : "(");
		if (!put_literal(database, names[i], out))
			out->has_failed = true;
		(void)buffer_append_text(out, "::text)");
	}
	(void)buffer_append_text(out, ") v (n)");
}

/* Which of TABLES have no trigger for each of INSERT, DELETE, UPDATE and TRUNCATE (4, 8, 16 and 32
 * of tgtype) that isn't a BEFORE or INSTEAD OF (2, 64)? What isn't there is none: a name may be
 * that of a part of a query. Whatever a subscription brings fires no trigger of a statement, and
 * what is written to a partition, or to a table that inherits, none of the table above; nor what is
 * written where a foreign table leads. */
static bool make_check(struct database *database, const char *const *tables)
{
	struct buffer *check = &database->check;

	(void)buffer_append_text(check, "SELECT string_agg(n, ', ') FROM "); /* told at the end */
	put_names(database, tables, check);
	(void)buffer_append_text(check,
				 " WHERE to_regclass(n) IS NOT NULL AND ('r' <> (SELECT relkind "
				 "FROM pg_class WHERE oid = to_regclass(n)) OR "); /* likewise */
	if (PQserverVersion(database->connection) >= HAS_SUBSCRIPTIONS)
		(void)buffer_append_text(check, "EXISTS (SELECT 1 FROM pg_subscription_rel WHERE "
						"srrelid = to_regclass(n)) OR "); /* likewise */
	(void)buffer_append_text(
		check,
		"EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = to_regclass(n)) OR "
		"60 <> (SELECT coalesce(bit_or(g.tgtype::integer), 0) & 60 FROM pg_trigger g "
		"JOIN pg_proc p ON p.oid = g.tgfoid WHERE g.tgrelid = to_regclass(n) AND NOT "
		"g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgtype::integer & 66 = 0 "
		"AND g.tgqual IS NULL AND g.tgattr::text = '' AND p.prosrc LIKE "
		"'%openrcpt%'))"); /* likewise */
	return buffer_append_byte(check, '\0');
}

/* How many rows each of TABLES has, and the sum of a hash of each. Those that aren't there are left
 * out. */
static bool make_digest(struct database *database, const char *const *tables, struct error *err)
{
	struct buffer *digest = &database->digest;

	(void)buffer_append_text(digest, "SELECT ''"); /* told at the end, as the rest */
	for (size_t i = 0; tables[i] != NULL; i++) {
		struct buffer question;
		bool is_asked;

		buffer_init(&question, TEXT_BYTES + strlen(tables[i]) * 2);
		is_asked = buffer_append_text(&question, "SELECT to_regclass(") &&
			   put_literal(database, tables[i], &question) &&
			   buffer_append_text(&question, "::text) IS NULL");
		is_asked = is_asked ? ask(database, question.data, &database->text, err)
				    : error_set_memory(err);
		buffer_free(&question);
		if (!is_asked)
			return false;
		if (!is_answer(database, "t"))
			(void)buffer_append_format(
				digest,
				" || ' ' || (SELECT count(*) || '/' || "
				"coalesce(sum(hashtext(openrcpt_row::text)::bigint), 0) FROM %s AS "
				"openrcpt_row)",
				tables[i]);
	}
	return buffer_append_byte(digest, '\0') || error_set_memory(err);
}

/* Is one of FUNCTIONS somebody's own, and may read? Its name may have quotes, or none. */
static bool find_functions(struct database *database, const char *const *functions,
			   struct buffer *out_doubt, struct error *err)
{
	struct buffer question;
	bool is_asked;

	if (functions[0] == NULL)
		return true;
	buffer_init(&question, QUESTION_BYTES_MAX);
	(void)buffer_append_text(&question,
				 "SELECT string_agg(DISTINCT n, ', ') FROM "); /* told at the end */
	put_names(database, functions, &question);
	(void)buffer_append_text(
		&question,
		" JOIN pg_proc p ON lower(p.proname) = lower(btrim(regexp_replace(n, '^.*[.]', ''),"
		" '\"')) JOIN pg_namespace s ON s.oid = p.pronamespace WHERE s.nspname <> "
		"'pg_catalog' "
		"AND p.provolatile <> 'i'"); /* likewise */
	is_asked = buffer_append_byte(&question, '\0')
			   ? ask(database, question.data, &database->text, err)
			   : error_set_memory(err);
	buffer_free(&question);
	if (!is_asked || is_answer(database, ""))
		return is_asked;
	database->is_deaf = true;
	(void)buffer_append_format(out_doubt,
				   "%s may read what isn't told of: such changes are seen each "
				   "follow_seconds\n",
				   database->text.data); /* else it isn't said */
	return true;
}

/* ---- asking now and then -------------------------------------------------------------------- */

/* How long a statement of this transaction may take: somewhat less than we wait, and not longer
 * than whoever runs the server allows. */
static bool limit_time(struct database *database, int *out_limit_ms, struct error *err)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
		       "SELECT set_config(name, least(nullif(setting::bigint, 0), %d)::text, true) "
		       "FROM pg_settings WHERE name = 'statement_timeout'",
		       database->timeout_ms - database->timeout_ms / PART_OF_PATIENCE); /* fits */
	if (!ask(database, text, &database->text, err) ||
	    !ask(database, "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'",
		 &database->text, err))
		return false;
	*out_limit_ms = (int)strtol(database->text.data, NULL, 10);
	return true;
}

/* Who may not read all columns of a table can't ask for its digest; and the rows of a large one may
 * come in time, while their digest doesn't. Both can be read. */
static bool fail_digest(const struct database *database, struct error *err)
{
	if (database->is_cancelled || database->is_late)
		err->status = EX_UNAVAILABLE;
	return false;
}

/* The server ends it by itself where it takes too long: to send it a cancellation means to wait for
 * it once more, and who only goes away isn't missed before there is something to send. */
static bool ask_digest(struct database *database, struct buffer *out, struct error *err)
{
	int64_t began_ms;
	int limit_ms;

	if (!postgresql_run(database, "BEGIN READ ONLY", err) ||
	    !limit_time(database, &limit_ms, err))
		return false;
	began_ms = postgresql_now_ms();
	if (ask(database, database->digest.data, out, err))
		return postgresql_run(database, "COMMIT", err);
	database->is_late |= postgresql_now_ms() - began_ms >= limit_ms;
	if (database->is_late)
		error_fill(err, EX_TEMPFAIL, "the tables gave no digest within %d seconds",
			   (limit_ms + 999) / 1000);
	return fail_digest(database, err);
}

/* Has anything been committed since the last time, and is it in one of the tables? */
static bool poll_tables(struct database *database, bool *out_has_changed, struct error *err)
{
	int64_t began_ms = postgresql_now_ms(), took_ms;
	bool has_changed = false;

	if (!ask(database,
		 "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_foreign_table) OR EXISTS (SELECT 1 "
		 "FROM pg_proc WHERE proname = 'dblink') THEN '' ELSE "
		 "md5(txid_current_snapshot()::text) END",
		 &database->text, err))
		return false;
	if (is_answer(database, "") || !is_answer(database, database->snapshot)) {
		struct buffer now;

		(void)snprintf(database->snapshot, sizeof(database->snapshot), "%s",
			       database->text.data); /* fits: 32 digits */
		buffer_init(&now, STATE_BYTES_MAX);
		if (!ask_digest(database, &now, err)) {
			buffer_free(&now);
			return false;
		}
		has_changed = !bytes_equal(buffer_bytes(&now), buffer_bytes(&database->state));
		buffer_free(&database->state);
		database->state = now;
	}
	took_ms = postgresql_now_ms() - began_ms;
	database->poll_ms = postgresql_now_ms() +
			    (took_ms * POLL_SHARE > POLL_MS ? took_ms * POLL_SHARE : POLL_MS);
	*out_has_changed = has_changed;
	return true;
}

static bool begin_polling(struct database *database, const char *const *tables, struct error *err)
{
	bool ignored;

	database->is_polled = true;
	return make_digest(database, tables, err) && poll_tables(database, &ignored, err);
}

/* ---- listening ------------------------------------------------------------------------------ */

/* What has come; SELF_TEST of our own into *OUT_IS_OURS, unless that is NULL. */
static bool take_notifications(const struct database *database, bool *out_is_ours)
{
	bool has_any = false;
	PGnotify *notify;

	while ((notify = PQnotifies(database->connection)) != NULL) {
		if (strncmp(notify->extra, SELF_TEST, strlen(SELF_TEST)) != 0)
			has_any = true;
		else if (out_is_ours != NULL &&
			 notify->be_pid == PQbackendPID(database->connection))
			*out_is_ours = true;
		PQfreemem(notify);
	}
	return has_any;
}

/* Who ends the connection says why, but not as an answer. */
static void keep_notice(void *context, const char *text)
{
	struct database *database = context;

	(void)snprintf(database->notice, sizeof(database->notice), "%s", text); /* may be cut */
}

static bool fail(const struct database *database, struct error *err)
{
	return database->notice[0] != '\0' ? postgresql_fail(EX_TEMPFAIL, database->notice, err)
					   : postgresql_fail_connection(database, err);
}

/* Until something has come, or DEADLINE_MS. */
static bool wait_until(const struct database *database, int64_t deadline_ms, struct error *err)
{
	int64_t left_ms = deadline_ms - postgresql_now_ms();
	struct pollfd ready = { .fd = PQsocket(database->connection), .events = POLLIN };

	if (poll(&ready, 1, left_ms > 0 ? (int)left_ms : 0) < 0 && errno != EINTR)
		return error_set_errno(err, EX_OSERR, "poll");
	return PQconsumeInput(database->connection) != 0 || fail(database, err);
}

/*
 * Do we hear ourselves, and does one process of the server serve us? A pooler says in the place of
 * the server which one that is, and it isn't.
 */
static bool test_listening(struct database *database, bool *out_is_heard, struct error *err)
{
	int64_t deadline_ms = postgresql_now_ms() + SELF_TEST_MS;
	bool is_heard = false;
	char question[100];
	char expected[32];

	(void)snprintf(question, sizeof(question),
		       "SELECT pg_notify('openrcpt', '" SELF_TEST "%d')",
		       PQbackendPID(database->connection)); /* fits */
	(void)snprintf(expected, sizeof(expected), "%d",
		       PQbackendPID(database->connection)); /* fits */
	if (!ask(database, question, &database->text, err) ||
	    !ask(database, "SELECT pg_backend_pid()", &database->text, err))
		return false;
	*out_is_heard = false;
	if (!is_answer(database, expected))
		return true;
	while (!is_heard && postgresql_now_ms() < deadline_ms) {
		(void)take_notifications(database, &is_heard); /* all is read after this */
		if (!is_heard && !wait_until(database, deadline_ms, err))
			return false;
	}
	*out_is_heard = is_heard;
	return true;
}

/* Listen. *OUT_WHY: why it has to be polled; NULL: it hasn't. */
static bool begin_listening(struct database *database, const char *const *tables,
			    struct buffer *out_doubt, struct error *err)
{
	bool is_heard;

	if (!postgresql_run(database, "LISTEN openrcpt", err) ||
	    !test_listening(database, &is_heard, err))
		return false;
	if (!is_heard) {
		(void)buffer_append_text(
			out_doubt,
			"a pooler stands before the server, and NOTIFY doesn't come through: the "
			"tables are asked each few seconds\n"); /* else it isn't said */
		return begin_polling(database, tables, err);
	}
	if (!make_check(database, tables))
		return error_set_memory(err);
	if (!ask(database, database->check.data, &database->text, err))
		return false;
	if (is_answer(database, ""))
		return true;
	(void)buffer_append_format(
		out_doubt,
		"no trigger tells of changes of %s: the tables are asked each few seconds (see "
		"rcptmap sql)\n",
		database->text.data); /* likewise */
	return begin_polling(database, tables, err);
}

bool postgresql_follow(struct database *database, const char *const *tables,
		       const char *const *functions, struct buffer *out_doubt, struct error *err)
{
	if (tables[0] == NULL)
		return error_set(err, EX_CONFIG,
				 "the queries read no table whose changes could be told");
	(void)PQsetNoticeProcessor(database->connection, keep_notice, database);
	if (!find_functions(database, functions, out_doubt, err) ||
	    !ask(database, "SELECT pg_is_in_recovery()", &database->text, err))
		return false;
	database->is_standby = is_answer(database, "t");
	if (!database->is_standby)
		return begin_listening(database, tables, out_doubt, err);
	(void)buffer_append_text(
		out_doubt, "the server is a standby, where NOTIFY isn't heard: the tables are "
			   "asked each few seconds\n"); /* else it isn't said */
	return begin_polling(database, tables, err);
}

/* Is the server there, and are the triggers? A dump that is restored has made the tables anew. */
static enum database_news look_after(struct database *database, struct error *err)
{
	if (!ask(database, database->check.data, &database->text, err))
		return DATABASE_NEWS_FAILED;
	if (!is_answer(database, ""))
		return DATABASE_NEWS_ANEW;
	return take_notifications(database, NULL) ? DATABASE_NEWS_CHANGED : DATABASE_NEWS_NONE;
}

/* Nothing has changed; but if it was polled for want of triggers, are they there now? Or is it a
 * standby no more? A pooler is left to who configures it. */
static enum database_news end_polling(struct database *database, struct error *err)
{
	const char *question = database->is_standby ? "SELECT nullif(pg_is_in_recovery(), false)"
						    : database->check.data;

	if (!database->is_standby && database->check.size == 0)
		return DATABASE_NEWS_NONE;
	if (!ask(database, question, &database->text, err))
		return DATABASE_NEWS_FAILED;
	return is_answer(database, "") ? DATABASE_NEWS_ANEW : DATABASE_NEWS_NONE;
}

/* A digest says NONE, and nothing else does: so that may be later than DEADLINE_MS. */
static enum database_news wait_once(struct database *database, int64_t deadline_ms,
				    struct error *err)
{
	for (;;) {
		bool has_changed = false;
		int64_t now_ms;

		if (take_notifications(database, NULL) && !database->is_polled)
			return DATABASE_NEWS_CHANGED;
		now_ms = postgresql_now_ms();
		if (database->is_polled && now_ms >= database->poll_ms) {
			if (!poll_tables(database, &has_changed, err))
				return DATABASE_NEWS_FAILED;
			if (has_changed)
				return DATABASE_NEWS_CHANGED;
			if (now_ms >= deadline_ms)
				return end_polling(database, err);
		}
		if (!database->is_polled && now_ms >= deadline_ms)
			return look_after(database, err);
		if (!wait_until(database, database->is_polled ? database->poll_ms : deadline_ms,
				err))
			return DATABASE_NEWS_FAILED;
	}
}

enum database_news postgresql_wait(struct database *database, int timeout_ms, struct error *err)
{
	enum database_news news;

	do
		news = wait_once(database, postgresql_now_ms() + timeout_ms, err);
	while (news == DATABASE_NEWS_NONE && database->is_deaf);
	return news;
}
