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
static const char mysql_question[] =
	"SELECT CONCAT('`', REPLACE(MAX(column_name), '`', '``'), '`') FROM "
	"information_schema.columns WHERE table_schema = DATABASE() AND column_key = 'PRI' AND "
	"table_name = '";
static const char mysql_end[] = "' HAVING COUNT(*) = 1 AND MAX(data_type) LIKE '%int'";

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

static bool keep_value(struct importer *importer, const struct database_row *row, void *context)
{
	(void)context;
	return row->values[0].is_null || buffer_append(&importer->text, row->values[0].text) ||
	       importer_fail_memory(importer);
}

bool importer_ask_catalog(struct importer *importer)
{
	buffer_clear(&importer->text);
	return importer_read(importer, importer->query.data, DATABASE_ONE, keep_value, NULL);
}

/* A plain name of TABLE; of MySQL `…` may be around it. Behind a dot it isn't the one that the
 * connection is for. */
static bool plain_name(struct bytes table, enum query_dialect dialect, struct bytes *out_name)
{
	if (dialect == QUERY_MYSQL && table.data[0] == '`')
		table = bytes_make(table.data + 1, table.size - 2);
	*out_name = table;
	return !bytes_contain(table, '"') && !bytes_contain(table, '`') &&
	       !bytes_contain(table, '.');
}

bool importer_find_number(struct importer *importer, const struct query_shape *shape,
			  enum query_dialect dialect)
{
	struct bytes table = shape->table;

	buffer_clear(&importer->text);
	if (table.size == 0)
		return true;
	if (dialect == QUERY_POSTGRESQL)
		return put_question(importer, postgresql_question, table, postgresql_end) &&
		       importer_ask_catalog(importer);
	if (!plain_name(table, dialect, &table))
		return true;
	return (dialect == QUERY_MYSQL
			? put_question(importer, mysql_question, table, mysql_end)
			: put_question(importer, sqlite_question, table, sqlite_end)) &&
	       importer_ask_catalog(importer);
}
