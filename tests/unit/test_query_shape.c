/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/query_shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const kinds[] = {
	[QUERY_KEY] = "key",
	[QUERY_ADDRESS] = "address",
	[QUERY_PARTS] = "parts",
	[QUERY_DOMAIN] = "domain",
	[QUERY_CATCH_ALL] = "catch-all",
	[QUERY_DOMAIN_ALIAS] = "domain-alias",
};

static void gives_for(enum query_dialect dialect, const char *query, const char *kind,
		      const char *bulk)
{
	struct arena arena;
	struct query_shape shape;
	const char *why = "";

	arena_init(&arena, 1 << 24);
	if (query_shape_find(bytes_of(query), dialect, &arena, &shape, &why) != QUERY_HAS_SHAPE)
		fail_msg("%s\n%s", query, why);
	assert_string_equal(kinds[shape.kind], kind);
	assert_string_equal(shape.bulk.data, bulk);
	arena_free(&arena);
}

/* In MySQL || isn't what joins texts. */
static void gives(const char *query, const char *kind, const char *bulk)
{
	gives_for(QUERY_POSTGRESQL, query, kind, bulk);
	gives_for(QUERY_SQLITE, query, kind, bulk);
	if (strstr(query, "||") == NULL && strchr(query, '"') == NULL)
		gives_for(QUERY_MYSQL, query, kind, bulk);
}

static void refuses_for(enum query_dialect dialect, const char *query, const char *expected)
{
	struct arena arena;
	struct query_shape shape;
	const char *why = "";

	arena_init(&arena, 1 << 24);
	if (query_shape_find(bytes_of(query), dialect, &arena, &shape, &why) != QUERY_HAS_NONE)
		fail_msg("%s\n%s", query, shape.bulk.data);
	if (strcmp(why, expected) != 0)
		fail_msg("%s\n%s\ninstead of\n%s", query, why, expected);
	arena_free(&arena);
}

static void refuses(const char *query, const char *expected)
{
	refuses_for(QUERY_SQLITE, query, expected);
}

static void a_key_in_one_column(void **state)
{
	(void)state;
	gives("SELECT goto FROM alias WHERE address='%s'", "key",
	      "SELECT (address), goto FROM alias");
	gives("select a.goto, b.x from alias a join b on b.id = a.id where a.active = 1 and "
	      "a.address = '%s' and b.y='z';",
	      "key",
	      "SELECT (a.address), a.goto, b.x FROM alias a join b on b.id = a.id WHERE "
	      "(a.active = 1) AND (b.y='z')");
	gives("SELECT * FROM alias WHERE '%s' = address ORDER BY 1", "key",
	      "SELECT (address), * FROM alias");
	gives("SELECT x FROM t WHERE lower(k) = '%s'", "key", "SELECT (lower(k)), x FROM t");
	gives("SELECT x FROM t WHERE k = lower('%s')", "key", "SELECT (k), x FROM t");
	gives("SELECT x FROM t WHERE lcase(k) = LCASE('%S')", "key", "SELECT (lcase(k)), x FROM t");
	gives("SELECT x FROM t WHERE k = '%s'::text", "key", "SELECT (k), x FROM t");
	gives("SELECT x FROM t WHERE u || '@' || d = '%s'", "key",
	      "SELECT (u || '@' || d), x FROM t");
	gives("SELECT x FROM t WHERE CONCAT(u, '@', d) = '%s'", "key",
	      "SELECT (CONCAT(u, '@', d)), x FROM t");
	gives("SELECT x FROM \"my table\" WHERE \"key\" = '%s'", "key",
	      "SELECT (\"key\"), x FROM \"my table\"");
	gives("SELECT x FROM t WHERE (k='%s' AND (a AND (b)))", "key",
	      "SELECT (k), x FROM t WHERE (a) AND (b)");
	gives("SELECT x FROM t WHERE k='%s' AND (a OR b)", "key",
	      "SELECT (k), x FROM t WHERE (a OR b)");
	gives("SELECT x FROM t WHERE n BETWEEN 1 AND 2 AND k='%s'", "key",
	      "SELECT (k), x FROM t WHERE (n BETWEEN 1 AND 2)");
	gives("SELECT x FROM t WHERE k='%s' AND x LIKE '%%@a'", "key",
	      "SELECT (k), x FROM t WHERE (x LIKE '%@a')");
	gives("SELECT x FROM t WHERE k='%s' AND d IN (SELECT d FROM d LIMIT 3)", "key",
	      "SELECT (k), x FROM t WHERE (d IN (SELECT d FROM d LIMIT 3))");
	gives("SELECT x || 'it''s' FROM t WHERE k='%s'", "key", "SELECT (k), x || 'it''s' FROM t");
}

static void has_table(const char *from, const char *table, const char *qualifier)
{
	struct arena arena;
	struct query_shape shape;
	char query[200];
	const char *why;

	(void)snprintf(query, sizeof(query), "SELECT x FROM %s WHERE k = '%%s'", from);
	arena_init(&arena, 1 << 24);
	assert_int_equal(query_shape_find(bytes_of(query), QUERY_SQLITE, &arena, &shape, &why),
			 QUERY_HAS_SHAPE);
	if (!bytes_equal(shape.table, bytes_of(table)) ||
	    !bytes_equal(shape.qualifier, bytes_of(qualifier)))
		fail_msg("%s: " BYTES_FORMAT ", " BYTES_FORMAT, from, BYTES_ARGS(shape.table),
			 BYTES_ARGS(shape.qualifier));
	arena_free(&arena);
}

static void one_table_is_known(void **state)
{
	(void)state;
	has_table("t", "t", "t");
	has_table("t a", "t", "a");
	has_table("t AS a", "t", "a");
	has_table("s.t", "s.t", "s.t");
	has_table("s . \"T x\" as \"A\"", "s . \"T x\"", "\"A\"");
	has_table("t, u", "", "");
	has_table("t a JOIN u", "", "");
	has_table("t JOIN u", "", "");
	has_table("f(1)", "", "");
	has_table("(SELECT 1) a", "", "");
	has_table("ONLY t", "", "");
	has_table("[t]", "", "");
	has_table("`t` a", "`t`", "a");
	has_table("t AS", "t", "t");
}

static void parts_of_a_key(void **state)
{
	(void)state;
	gives("SELECT x FROM t WHERE k = '%u@%d'", "address", "SELECT (k), x FROM t");
	gives("SELECT x FROM t WHERE k = CONCAT('%u', '@', '%d')", "address",
	      "SELECT (k), x FROM t");
	gives("SELECT x FROM t WHERE k = '%u' || '@' || '%d'", "address", "SELECT (k), x FROM t");
	gives("SELECT x FROM t WHERE u = '%u' AND d = '%d' AND a", "parts",
	      "SELECT (u), (d), x FROM t WHERE (a)");
	gives("SELECT x FROM t WHERE d = '%d' AND u = '%u'", "parts", "SELECT (u), (d), x FROM t");
	gives("SELECT x FROM t WHERE d = '%d'", "domain", "SELECT (d), x FROM t");
	gives("SELECT x FROM t WHERE k = '@%d'", "catch-all", "SELECT (k), x FROM t");
}

static void aliases_of_a_domain(void **state)
{
	static const char query[] =
		"SELECT goto FROM alias, alias_domain WHERE alias_domain.alias_domain='%d' AND "
		"alias.address=CONCAT('%u', '@', alias_domain.target_domain) AND alias.active=1";

	(void)state;
	gives_for(QUERY_MYSQL, query, "domain-alias",
		  "SELECT (alias_domain.alias_domain), (alias.address), "
		  "(alias_domain.target_domain), goto FROM alias, alias_domain WHERE "
		  "(alias.active=1) AND SUBSTRING_INDEX((alias.address), '@', -1) = "
		  "(alias_domain.target_domain)");
	gives_for(QUERY_POSTGRESQL,
		  "SELECT g FROM a, d WHERE d.o='%d' AND a.k = '%u' || '@' || d.t", "domain-alias",
		  "SELECT (d.o), (a.k), (d.t), g FROM a, d WHERE "
		  "substring((a.k) from '@([^@]*)$') = (d.t)");
	gives_for(QUERY_SQLITE, "SELECT g FROM a, d WHERE d.o='%d' AND a.k = '%u@' || d.t",
		  "domain-alias",
		  "SELECT (d.o), (a.k), (d.t), g FROM a, d WHERE "
		  "substr((a.k), length((a.k)) - length((d.t))) = '@' || (d.t)");
}

static void other_shapes_are_refused(void **state)
{
	static const char rows[] = "has GROUP BY, LIMIT, UNION or the like";
	static const char plain[] = "has a % in a condition that is no plain comparison by =";
	static const char other[] =
		"compares with something other than '%s', '%u', '%d', '%u@%d', '@%d'";

	(void)state;
	refuses("CALL lookup('%s')", "is no SELECT");
	refuses("", "is no SELECT");
	refuses("SELECT f('%s')", "has no FROM and WHERE");
	refuses("SELECT '%d' FROM t WHERE k='%s'", "has a % in front of WHERE");
	refuses("SELECT x FROM t WHERE k='%s' LIMIT 1", rows);
	refuses("SELECT x FROM t WHERE k='%s' GROUP BY x", rows);
	refuses("SELECT x FROM t WHERE k='%s' UNION SELECT y FROM z WHERE k='%s'", rows);
	refuses("SELECT DISTINCT x FROM t WHERE k='%s'", "has DISTINCT");
	refuses("SELECT group_concat(x) FROM t WHERE k='%s'", "counts or joins rows");
	refuses("SELECT string_agg(x, ',') FROM t WHERE k='%s'", "counts or joins rows");
	refuses("SELECT x FROM t WHERE k='%s' OR a", "has an OR beside a %");
	refuses("SELECT x FROM t WHERE a AND (k='%s' OR j='%s')", "has an OR beside a %");
	refuses("SELECT x FROM t WHERE NOT k='%s'", plain);
	refuses("SELECT x FROM t WHERE NOT (k='%s')", plain);
	refuses("SELECT x FROM t WHERE k LIKE '%s'", plain);
	refuses("SELECT x FROM t WHERE k IN ('%s', 'y')", plain);
	refuses("SELECT x FROM t WHERE k <> '%s'", plain);
	refuses("SELECT x FROM t WHERE '%s' = ANY(k)", plain);
	refuses("SELECT x FROM t WHERE k = '%s' COLLATE NOCASE", plain);
	refuses("SELECT x FROM t WHERE (k = '%s') = b", other);
	refuses("SELECT x FROM t WHERE k = 'a%s'", other);
	refuses("SELECT x FROM t WHERE k = %s", other);
	refuses("SELECT x FROM t WHERE k = md5('%s')", other);
	refuses("SELECT x FROM t WHERE k = '%s' || 'x'", other);
	refuses("SELECT x FROM t WHERE k = '%1'", other);
	refuses("SELECT x FROM t WHERE '%s' = '%d'", other);
	refuses("SELECT x FROM t WHERE k = '%s' AND j = '%s'",
		"compares with the same thing twice");
	refuses("SELECT x FROM t WHERE k = '%s' AND j = '%d'",
		"compares with parts of the key that don't make one");
	refuses("SELECT x FROM t WHERE k = '%u'",
		"compares with parts of the key that don't make one");
	refuses("SELECT x FROM t WHERE k = 1", "doesn't depend on the key");
	refuses("SELECT x FROM t JOIN u ON u.k='%s' WHERE t.a", "has a % outside of WHERE");
	refuses("SELECT x FROM (SELECT * FROM u WHERE k='%s') v WHERE v.a",
		"has a % outside of WHERE");
	refuses("SELECT x FROM t WHERE k='%s' ORDER BY y='%s'", "has a % outside of WHERE");
	refuses("SELECT x FROM t WHERE k=\"%s\"", "has a % in the quotes of a name");
	refuses("SELECT x FROM t WHERE CASE WHEN a AND k='%s' THEN 1 END", "has a CASE beside a %");
	refuses("SELECT x FROM t WHERE k='%s' AND", "has a condition that is empty");
	refuses("SELECT x FROM t WHERE ()", "has a condition that is empty");
	refuses("SELECT x FROM t WHERE k='%s' AND (a", "has brackets that don't match");
	refuses("SELECT x FROM t WHERE k='%s') AND (a", "has brackets that don't match");
	refuses("SELECT x FROM t WHERE k='%s'; SELECT 1", "is more than one statement");
}

static void what_databases_read_differently_is_refused(void **state)
{
	static const char why[] = "has a comment, a backslash, or a quote that databases read in "
				  "different ways";

	(void)state;
	refuses("SELECT x FROM t WHERE k='%s' -- AND a", why);
	refuses("SELECT x /* y */ FROM t WHERE k='%s'", why);
	refuses("SELECT x FROM t WHERE k='%s' # y", why);
	refuses("SELECT x FROM t WHERE k='%s' AND a = 'x\\'y'", why);
	refuses("SELECT x FROM t WHERE k=E'%s'", why);
	refuses("SELECT x FROM t WHERE k=$$%s$$", why);
	refuses("SELECT x FROM t WHERE k='%s", why);
}

static void what_mysql_reads_differently(void **state)
{
	static const char may_be_or[] = "has a ||, which may be OR: write OR, or CONCAT()";

	(void)state;
	gives_for(QUERY_MYSQL, "SELECT `x` FROM `t` WHERE `k` = \"%s\" AND y = \"it's\"", "key",
		  "SELECT (`k`), `x` FROM `t` WHERE (y = \"it's\")");
	gives_for(QUERY_MYSQL, "SELECT x FROM t WHERE u = \"%u\" AND d = \"%d\"", "parts",
		  "SELECT (u), (d), x FROM t");
	refuses_for(QUERY_MYSQL, "SELECT x FROM t WHERE k = '%u' || '@' || '%d'", may_be_or);
	refuses_for(QUERY_MYSQL, "SELECT x FROM t WHERE k = '%s' AND (a || b)", may_be_or);
	refuses_for(QUERY_MYSQL, "SELECT x FROM t WHERE `%s` = k",
		    "has a % in the quotes of a name");
	refuses_for(QUERY_MYSQL, "SELECT DISTINCTROW x FROM t WHERE k = '%s'", "has DISTINCT");
	refuses_for(QUERY_MYSQL, "SELECT json_arrayagg(x) FROM t WHERE k = '%s'",
		    "counts or joins rows");
	for (size_t i = 0; i < 4; i++) {
		static const char *const compared[] = { "k RLIKE '%s'", "k SOUNDS LIKE '%s'",
							"k <=> '%s'", "@k := '%s'" };
		char query[100];

		(void)snprintf(query, sizeof(query), "SELECT x FROM t WHERE %s", compared[i]);
		refuses_for(QUERY_MYSQL, query,
			    "has a % in a condition that is no plain comparison by =");
	}
}

/* Whatever part of a query is left out, or put in anywhere: it ends. */
static void damaged_queries_end(void **state)
{
	static const char query[] =
		"SELECT a.\"x\", f(b) FROM a JOIN b USING (i) WHERE (a.k='%u@%d' "
		"AND NOT (c OR d)) AND e BETWEEN 1 AND 2 ORDER BY 1;";
	static const char *const pieces[] = { "'", "\"", "(", ")", "%", "%s", " AND ", " = ", ";" };
	char text[400];
	struct query_shape shape;
	const char *why = "";

	(void)state;
	for (size_t at = 0; at < sizeof(query); at++) {
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			struct arena arena;

			arena_init(&arena, 1 << 24);
			(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)at, query, pieces[i],
				       query + at);
			(void)query_shape_find(bytes_of(text), QUERY_SQLITE, &arena, &shape, &why);
			(void)query_shape_find(bytes_make(query + at, sizeof(query) - 1 - at),
					       QUERY_SQLITE, &arena, &shape, &why);
			(void)query_shape_find(bytes_make(query, at), QUERY_SQLITE, &arena, &shape,
					       &why);
			arena_free(&arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_in_one_column),
		cmocka_unit_test(one_table_is_known),
		cmocka_unit_test(parts_of_a_key),
		cmocka_unit_test(aliases_of_a_domain),
		cmocka_unit_test(other_shapes_are_refused),
		cmocka_unit_test(what_databases_read_differently_is_refused),
		cmocka_unit_test(what_mysql_reads_differently),
		cmocka_unit_test(damaged_queries_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
