/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/sql_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

static void put_names(const struct sql_names *names, const char *before, struct buffer *out)
{
	for (size_t i = 0; i < names->count; i++)
		assert_true(buffer_append_format(out, "%s%s", out->size > 0 ? before : "",
						 names->names[i]));
	if (names->count > 0)
		assert_null(names->names[names->count]);
}

static void reads_as(bool is_mysql, const char *query, const char *expected)
{
	struct sql_tables tables = { 0 };
	struct arena arena;
	struct buffer found;

	arena_init(&arena, 1 << 20);
	buffer_init(&found, 1 << 16);
	assert_true(sql_tables_add(&tables, bytes_of(query), is_mysql, &arena));
	put_names(&tables.tables, " ", &found);
	if (tables.has_unknown)
		assert_true(buffer_append_text(&found, " ?"));
	assert_true(buffer_append_byte(&found, '\0'));
	if (strcmp(found.data, expected) != 0)
		fail_msg("%s\n%s\ninstead of\n%s", query, found.data, expected);
	buffer_free(&found);
	arena_free(&arena);
}

static void reads(const char *query, const char *expected)
{
	reads_as(false, query, expected);
}

static void test_plain(void **state)
{
	(void)state;
	reads("SELECT address, goto FROM alias WHERE active", "alias");
	reads("select a.x, b.y from alias a, domain AS b where a.d = b.d", "alias domain");
	reads("SELECT 1 FROM alias a JOIN domain b ON f(a.x, c) = b.y, third",
	      "alias domain third");
	reads("SELECT 1 FROM a LEFT OUTER JOIN b USING (x, y) NATURAL JOIN c", "a b c");
	reads("SELECT 'x@one.example', 'FROM nowhere'", "");
	reads("SELECT x FROM alias UNION ALL SELECT x FROM alias UNION SELECT y FROM other",
	      "alias other");
	reads("SELECT x FROM a, b GROUP BY x, y ORDER BY z, w", "a b");
}

static void test_names(void **state)
{
	(void)state;
	reads("SELECT x FROM mail.alias, \"Mail\".\"Al\"\"ias\" z",
	      "mail.alias \"Mail\".\"Al\"\"ias\"");
	reads("SELECT x FROM mail . alias WHERE y", "mail.alias");
	reads_as(true, "SELECT x FROM `mail`.`alias` a STRAIGHT_JOIN b", "`mail`.`alias` b");
	reads("SELECT x FROM only alias, LATERAL (SELECT 1 FROM b) y", "alias b");
}

static void test_brackets(void **state)
{
	(void)state;
	reads("SELECT x FROM (SELECT y FROM a, b) c, d WHERE e IN (SELECT f FROM g, h)",
	      "a b d g h");
	reads("SELECT x FROM (a JOIN (b JOIN c ON 1 = 1) ON b.i, d)", "a b c d");
	reads("SELECT x FROM generate_series(1, 3) g, mail.f(2), alias", "alias");
	reads("SELECT (SELECT max(i) FROM a), b FROM c WHERE NOT EXISTS (SELECT 1 FROM d)",
	      "a c d");
	reads("WITH w AS (SELECT 1 FROM a) SELECT x FROM w", "a w");
}

static void calls(const char *query, const char *expected)
{
	struct sql_tables tables = { 0 };
	struct arena arena;
	struct buffer found;

	arena_init(&arena, 1 << 20);
	buffer_init(&found, 1 << 16);
	assert_true(sql_tables_add(&tables, bytes_of(query), false, &arena));
	put_names(&tables.functions, " ", &found);
	assert_true(buffer_append_byte(&found, '\0'));
	assert_string_equal(found.data, expected);
	buffer_free(&found);
	arena_free(&arena);
}

/* Keywords look like one, too. */
static void test_functions(void **state)
{
	(void)state;
	calls("SELECT address, goto FROM alias", "");
	calls("SELECT f(x), mail.g (y), f(1) FROM h(2) i, mail . \"H\"(3), a",
	      "f mail.g h mail.\"H\"");
	calls("SELECT x FROM a WHERE b IN (1) AND (c OR d) AND lower(e) = (f)", "IN AND lower");
	calls("SELECT a.b.f(1), .g(2), 3 (4), a.(5), (6) (7), 'h'(8)", "a.b.f g");
	calls("SELECT x FROM (f(1)) JOIN g(2) ON h(3)", "FROM f g h");
}

static void test_what_is_no_table(void **state)
{
	(void)state;
	reads("SELECT extract(epoch FROM now()), substring(x FROM 2 FOR 3) FROM alias", "alias");
	reads("SELECT x FROM", "");
	reads("SELECT x FROM )", "");
	reads("", "");
}

static void test_what_is_not_read(void **state)
{
	(void)state;
	reads("SELECT x FROM a -- , b\n, c", "a ?");
	reads("SELECT x FROM a WHERE y = $1$ FROM b$1$", "a ?");
}

static void test_deep(void **state)
{
	char query[1000] = "SELECT 1 FROM a WHERE ";

	(void)state;
	memset(query + strlen(query), '(', 200);
	reads(query, "a ?");
	memset(query, ')', 200);
	query[200] = '\0';
	reads(query, "");
}

static void test_many(void **state)
{
	struct sql_tables tables = { 0 };
	struct arena arena;
	struct buffer query;

	(void)state;
	arena_init(&arena, 1 << 20);
	buffer_init(&query, 1 << 20);
	(void)buffer_append_text(&query, "SELECT 1 FROM t0");
	for (int i = 1; i < 100; i++)
		assert_true(buffer_append_format(&query, ", t%d", i));
	assert_true(sql_tables_add(&tables, buffer_bytes(&query), false, &arena));
	assert_int_equal(tables.tables.count, 100);
	assert_string_equal(tables.tables.names[99], "t99");
	assert_null(tables.tables.names[100]);
	buffer_free(&query);
	arena_free(&arena);
}

static void test_no_memory(void **state)
{
	struct sql_tables tables = { 0 };
	struct arena arena;

	(void)state;
	arena_init(&arena, 8);
	assert_false(sql_tables_add(&tables, bytes_of("SELECT 1 FROM alias"), false, &arena));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_brackets),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_what_is_no_table),
		cmocka_unit_test(test_what_is_not_read),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
