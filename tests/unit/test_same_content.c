/* SPDX-License-Identifier: BSD-2-Clause */
/* Which differences between two tables count. */
#include "ask_table.h"

#include "publish/same_content.h"

#define BASE                                                                                       \
	"a.test alias", "m.test mailbox", "@m.test all@far.test", "bare x@far.test",               \
		"no@a.test reply:"

/* Both ways: neither of the two has a part of its own. */
static bool are_same(const char *const *rows_a, const char *const *rows_b)
{
	struct asked a, b;
	bool is_same;

	asked_make(&a, rows_a);
	asked_make(&b, rows_b);
	is_same = same_content(a.table, b.table);
	assert_int_equal(same_content(b.table, a.table), is_same);
	asked_free(&a);
	asked_free(&b);
	return is_same;
}

static void order_and_lines_dont_count(void **state)
{
	const char *const a[] = { BASE, "a@a.test x@far.test", "b@a.test y@far.test,a@a.test",
				  NULL };
	const char *const b[] = { "b@a.test y@far.test,a@a.test", "a@a.test x@far.test", BASE,
				  NULL };

	(void)state;
	assert_true(are_same(a, b));
}

static void each_difference_counts(void **state)
{
	const char *const a[] = { BASE, "a@a.test x@far.test", NULL };
	const char *const others[][10] = {
		{ BASE, "a@a.test y@far.test" },
		{ BASE, "a@a.test X@far.test" },
		{ BASE, "a@a.test x@near.test" },
		{ BASE, "b@a.test x@far.test" },
		{ BASE, "a@m.test x@far.test" },
		{ BASE, "a@a.test reply:" },
		{ BASE, "a@a.test x@far.test,y@far.test" },
		{ BASE, "a@a.test x@far.test", "b@a.test x@far.test" },
		{ BASE, "a@a.test x@far.test", "b.test alias" },
		{ BASE, "a@a.test x@far.test", "a.test local" },
		{ "a.test alias", "m.test alias", "@m.test all@far.test", "bare x@far.test",
		  "no@a.test reply:", "a@a.test x@far.test" },
		{ "a.test alias", "m.test mailbox", "@m.test any@far.test", "bare x@far.test",
		  "no@a.test reply:", "a@a.test x@far.test" },
		{ "a.test alias", "m.test mailbox", "@a.test all@far.test", "bare x@far.test",
		  "no@a.test reply:", "a@a.test x@far.test" },
		{ "a.test alias", "m.test mailbox", "@m.test all@far.test", "bare y@far.test",
		  "no@a.test reply:", "a@a.test x@far.test" },
	};

	(void)state;
	assert_true(are_same(a, a));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (are_same(a, others[i])) {
			print_error("difference %zu isn't seen\n", i);
			fail();
		}
}

static void the_order_of_targets_counts(void **state)
{
	const char *const a[] = { "a@a.test x@far.test,y@far.test", NULL };
	const char *const b[] = { "a@a.test y@far.test,x@far.test", NULL };

	(void)state;
	assert_false(are_same(a, b));
}

static void rules_count(void **state)
{
	const char *const rows[] = { "a@a.test x@far.test", NULL };
	struct asked a, b = { .build.delimiters = "-" };

	(void)state;
	asked_make(&a, rows);
	asked_begin(&b);
	asked_add(&b, rows[0]);
	asked_end(&b);
	assert_false(same_content(a.table, b.table));
	asked_free(&a);
	asked_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_lines_dont_count),
		cmocka_unit_test(each_difference_counts),
		cmocka_unit_test(the_order_of_targets_counts),
		cmocka_unit_test(rules_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
