/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/query_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "failing_memory.h"

enum { ARENA_BYTES = 1 << 24 };

static struct bytes form_of(const char *query, bool is_mysql, struct arena *arena)
{
	struct bytes form;

	assert_true(query_form_find(bytes_of(query), is_mysql, arena, &form));
	return form;
}

static bool are_alike_for(const char *left, const char *right, bool is_mysql)
{
	struct arena arena;
	struct bytes forms[2];
	bool are_alike;

	arena_init(&arena, ARENA_BYTES);
	forms[0] = form_of(left, is_mysql, &arena);
	forms[1] = form_of(right, is_mysql, &arena);
	are_alike = forms[0].size > 0 && bytes_equal(forms[0], forms[1]);
	arena_free(&arena);
	return are_alike;
}

static void are_alike(const char *left, const char *right)
{
	/* In MySQL || isn't what joins texts. */
	bool is_plain = strstr(left, "||") == NULL && strstr(right, "||") == NULL;

	if (!are_alike_for(left, right, false) || are_alike_for(left, right, true) != is_plain)
		fail_msg("not taken for the same:\n%s\n%s", left, right);
}

static void differ(const char *left, const char *right)
{
	if (are_alike_for(left, right, false) || are_alike_for(left, right, true))
		fail_msg("taken for the same:\n%s\n%s", left, right);
}

static const char simple[] = "SELECT goto FROM alias WHERE address = '%s' AND active = '1'";

static void spelling_is_no_matter(void **state)
{
	(void)state;
	are_alike(simple, "select  goto from alias\n where address='%s' and active=1;");
	are_alike(simple, "SELECT `goto` FROM ALIAS WHERE ((active = true) AND ('%s' = address))");
	are_alike(simple, "SELECT a.goto FROM alias AS a WHERE a.address = '%s' AND a.active");
	are_alike("SELECT x FROM t WHERE NOT off AND k = '%s'",
		  "SELECT x FROM t WHERE k = '%s' AND off = 0");
	are_alike("SELECT x FROM t WHERE k = '%s' AND (a = 1 OR a = '2') ORDER BY x",
		  "SELECT x FROM t WHERE (a=2 OR a=1) AND k = '%s' ORDER BY x");
	are_alike("SELECT x FROM t WHERE k = '%s' AND a != 1",
		  "SELECT x FROM t WHERE k = '%s' AND a <> 1");
}

static void so_are_joins(void **state)
{
	(void)state;
	are_alike(
		"SELECT a.goto FROM alias a, domain d WHERE a.address = CONCAT('%u', '@', d.name) "
		"AND d.old = '%d' AND a.active = 1",
		"SELECT alias.goto FROM domain INNER JOIN alias ON alias.address = ('%u' || '@' || "
		"domain.name) WHERE alias.active AND domain.old = '%d'");
	are_alike("SELECT 1 FROM a WHERE x = '%s' UNION SELECT 1 FROM b WHERE y = '%s'",
		  "select 1 from a where x='%s' union select 1 from b where y='%s'");
}

static void what_asks_something_else_differs(void **state)
{
	(void)state;
	differ(simple, "SELECT goto FROM alias WHERE address = '%s'");
	differ(simple, "SELECT goto FROM alias WHERE address = '%s' AND active = '0'");
	differ(simple, "SELECT goto FROM alias WHERE address = '%s' AND active = '1' LIMIT 1");
	differ(simple, "SELECT goto FROM alias WHERE address = '%s' AND active = '1' AND NOT off");
	differ(simple, "SELECT goto FROM other WHERE address = '%s' AND active = '1'");
	differ(simple, "SELECT address FROM alias WHERE address = '%s' AND active = '1'");
	differ(simple, "SELECT goto FROM alias WHERE address = '@%d' AND active = '1'");
	differ(simple, "SELECT goto FROM alias WHERE address = '%s' OR active = '1'");
	differ("SELECT x FROM t, u WHERE t.k = '%s' AND u.on",
	       "SELECT x FROM t, u WHERE u.k = '%s' "
	       "AND t.on");
	/* Which of two is which. */
	differ("SELECT x FROM t a, t b WHERE a.k = '%s' AND b.y = 1",
	       "SELECT x FROM t a, t b WHERE b.k = '%s' AND a.y = 1");
	differ("SELECT x FROM t LEFT JOIN u ON t.i = u.i WHERE t.k = '%s'",
	       "SELECT x FROM t INNER JOIN u ON t.i = u.i WHERE t.k = '%s'");
	differ("SELECT x FROM t WHERE k = '%s' AND (a OR b AND c)",
	       "SELECT x FROM t WHERE k = '%s' AND (a OR c AND b OR d)");
	differ("SELECT x FROM \"T\" WHERE k = '%s'", "SELECT x FROM \"t\" WHERE k = '%s'");
}

/* Nobody builds on a guess. */
static void what_nobody_can_read_has_no_form(void **state)
{
	static const char *const queries[] = {
		"", ";", "SELECT 1 -- x", "SELECT '", "SELECT (", "SELECT )(", "SELECT E'x' FROM t"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
		differ(queries[i], queries[i]);
}

static void damaged_queries_end(void **state)
{
	static const char query[] =
		"SELECT a.goto FROM alias AS a JOIN d ON NOT d.x, e WHERE a.b = "
		"CONCAT('%u', '@', d.t) AND (d.a = '%d' OR NOT (x)) ORDER BY z";
	static const char *const pieces[] = {
		"(",   ")",     "'",        ".",   ",",      " AND ",
		" OR", " NOT ", " CONCAT(", " = ", " JOIN ", " FROM "
	};

	(void)state;
	for (size_t at = 0; at < sizeof(query); at++) {
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			struct arena arena;
			char text[400];

			arena_init(&arena, ARENA_BYTES);
			(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)at, query, pieces[i],
				       query + at);
			(void)form_of(text, false, &arena);
			(void)form_of(text, true, &arena);
			arena_free(&arena);
		}
	}
}

/* Whichever allocation fails, no two queries are alike for want of a part. */
static void no_memory_is_no_form(void **state)
{
	bool is_found = false;

	(void)state;
	for (unsigned long at = 1; !is_found; at++) {
		struct arena arena;
		struct bytes form;

		assert_true(at < 1000);
		arena_init(&arena, ARENA_BYTES);
		calls = 0;
		fails_at = at;
		is_found = query_form_find(bytes_of(simple), false, &arena, &form);
		fails_at = 0;
		assert_true(!is_found || (at > 5 && form.size > 0));
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spelling_is_no_matter),
		cmocka_unit_test(so_are_joins),
		cmocka_unit_test(what_asks_something_else_differs),
		cmocka_unit_test(what_nobody_can_read_has_no_form),
		cmocka_unit_test(damaged_queries_end),
		cmocka_unit_test(no_memory_is_no_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
