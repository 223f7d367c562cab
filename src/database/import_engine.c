/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_engine - tables of MySQL that no snapshot has.
 *
 * There each table has an engine, and MyISAM, Aria and the like know of no transactions: such a
 * table is read as it is at that moment, between two changes that belong together. Which tables a
 * query names is seen by its words: what stands behind FROM, JOIN, a comma or a bracket, and is a
 * table.
 */
#include <string.h>

#include "database/importer.h"
#include "sql/sql_tokens.h"

static struct bytes name_of(const struct sql_token *token)
{
	return token->kind == SQL_NAME ? bytes_make(token->text.data + 1, token->text.size - 2)
				       : token->text;
}

static bool is_name(const struct sql_token *token)
{
	return token->kind == SQL_WORD || token->kind == SQL_NAME;
}

/* May a table follow TOKEN? */
static bool leads_to_table(const struct sql_token *token)
{
	static const char *const words[] = { "from", "join", "straight_join", NULL };

	return sql_is_one_of(token, words) || sql_is_symbol(token, ",") ||
	       sql_is_symbol(token, "(");
}

static bool put_text(struct importer *importer, struct bytes text)
{
	struct error err;

	(void)buffer_append_byte(&importer->query, '\''); /* checked with the last one */
	if (!importer->module->escape(importer->database, text, &importer->query, &err))
		return importer_fail(importer, &err);
	return buffer_append_byte(&importer->query, '\'') || importer_fail_memory(importer);
}

/* TABLE of SCHEMA, which is empty: of the one that the connection is for. */
static bool check_table(struct importer *importer, struct bytes schema, struct bytes table)
{
	static const char question[] =
		"SELECT engine FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND "
		"engine NOT IN ('InnoDB', 'ROCKSDB', 'TokuDB') AND table_name = ";

	buffer_clear(&importer->query);
	(void)buffer_append_text(&importer->query, question); /* checked with the last byte */
	if (!put_text(importer, table))
		return false;
	(void)buffer_append_text(&importer->query, " AND table_schema = "); /* likewise */
	if (schema.size == 0)
		(void)buffer_append_text(&importer->query, "DATABASE()"); /* likewise */
	else if (!put_text(importer, schema))
		return false;
	if (!buffer_append_byte(&importer->query, '\0'))
		return importer_fail_memory(importer);
	if (!importer_ask_catalog(importer))
		return false;
	if (importer->text.size > 0)
		report_warning(importer->report, WARNING_NO_SNAPSHOT,
			       importer->plan->labels[importer->kind], 0,
			       "the table " BYTES_FORMAT " has the engine " BYTES_FORMAT
			       ", which has no snapshots: what is changed while it is read may be "
			       "seen in part",
			       BYTES_ARGS(table), BYTES_ARGS(buffer_bytes(&importer->text)));
	return true;
}

/* What follows a token that can't be read is left out: it is no more than a warning. */
static bool check_query(struct importer *importer, struct bytes query)
{
	struct sql_token before = { .kind = SQL_END }, token, next;

	sql_next(&query, true, &token);
	while (token.kind != SQL_END && token.kind != SQL_UNKNOWN) {
		bool is_wanted = leads_to_table(&before) && is_name(&token);
		struct bytes schema = bytes_make(NULL, 0);

		sql_next(&query, true, &next);
		if (is_wanted && sql_is_symbol(&next, ".")) {
			schema = name_of(&token);
			sql_next(&query, true, &token);
			is_wanted = is_name(&token);
			sql_next(&query, true, &next);
		}
		if (is_wanted && !sql_is_symbol(&next, "(") &&
		    !check_table(importer, schema, name_of(&token)))
			return false;
		before = token;
		token = next;
	}
	return true;
}

bool importer_check_engines(struct importer *importer)
{
	enum database_kind first = importer->kind;

	if (strcmp(importer->plan->type, "mysql") != 0)
		return true;
	for (size_t i = 0; i < DATABASE_KINDS; i++) {
		importer->kind = (enum database_kind)i;
		if (importer->plan->queries[i] != NULL &&
		    !check_query(importer, bytes_of(importer->plan->queries[i])))
			return false;
	}
	importer->kind = first;
	return true;
}
