/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import_number - which column of a table has the number by which its rows are told.
 *
 * The query of a Postfix table doesn't select it. Where all of its rows are of one table, and that
 * has a primary key of one column that is an integer, the bulk query gets that in front.
 */
#include "database/importer.h"

/* Catalogs are asked for what there is, never for what there may not be: an error would end the
 * snapshot. */
static const char postgresql_question[] =
	"SELECT quote_ident(a.attname) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a "
	"ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
	"WHERE i.indrelid = pg_catalog.to_regclass('";
static const char postgresql_end[] =
	"') AND i.indisprimary AND i.indnatts = 1 AND a.atttypid IN (20, 21, 23)";
static const char sqlite_question[] =
	"SELECT '\"' || replace(name, '\"', '\"\"') || '\"' FROM (SELECT max(name) AS name, "
	"max(type) AS type, count(*) AS n FROM pragma_table_info('";
static const char sqlite_end[] = "') WHERE pk > 0) WHERE n = 1 AND upper(type) LIKE '%INT%'";

/* The question, with the name of TABLE as a text in it, in importer->query. */
static bool put_question(struct importer *importer, const char *question, struct bytes table,
			 const char *end)
{
	struct buffer *out = &importer->query;

	buffer_clear(out);
	(void)buffer_append_text(out, question); /* checked at the end */
	for (size_t i = 0; i < table.size; i++) {
		if (table.data[i] == '\'')
			(void)buffer_append_byte(out, '\'');  /* likewise */
		(void)buffer_append_byte(out, table.data[i]); /* likewise */
	}
	(void)buffer_append_text(out, end);  /* likewise */
	(void)buffer_append_byte(out, '\0'); /* likewise */
	return !out->has_failed || importer_fail_memory(importer);
}

/* The answer's one column, in importer->text, which stays empty where there is none. */
static bool take_answer(struct importer *importer)
{
	const struct database_module *module = importer->module;
	struct database_row row;
	struct error err;

	buffer_clear(&importer->text);
	if (!module->query(importer->database, importer->query.data, DATABASE_ONE, &err))
		return importer_fail(importer, &err);
	for (;;) {
		switch (module->next(importer->database, &row, &err)) {
		case DATABASE_FAILED:
			return importer_fail(importer, &err);
		case DATABASE_END:
			return true;
		case DATABASE_ROW:
			break;
		}
		if (!row.values[0].is_null && !buffer_append(&importer->text, row.values[0].text))
			return importer_fail_memory(importer);
	}
}

bool importer_find_number(struct importer *importer, const struct query_shape *shape,
			  enum query_dialect dialect)
{
	bool is_postgresql = dialect == QUERY_POSTGRESQL;

	buffer_clear(&importer->text);
	if (shape->table.size == 0 || dialect == QUERY_MYSQL)
		return true;
	/* Of SQLite only a plain name: in quotes, or behind a dot, it isn't the table's own. */
	if (!is_postgresql &&
	    (bytes_contain(shape->table, '"') || bytes_contain(shape->table, '.')))
		return true;
	return put_question(importer, is_postgresql ? postgresql_question : sqlite_question,
			    shape->table, is_postgresql ? postgresql_end : sqlite_end) &&
	       take_answer(importer);
}
