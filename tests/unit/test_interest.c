/* SPDX-License-Identifier: BSD-2-Clause */
/* Which tables, and which entries, somebody has to listen to. */
#include "changes/interest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

static struct database_plan plan;
static struct directory_plan directory;
static struct interest interest;
static struct error err;

static int begin(void **state)
{
	(void)state;
	plan = (struct database_plan){ .type = "postgresql" };
	directory = (struct directory_plan){ .options = { .uris = NULL } };
	arena_init(&plan.arena, 1 << 24);
	return 0;
}

static int end(void **state)
{
	(void)state;
	database_plan_free(&plan);
	return 0;
}

static void tables_of_all_queries(void **state)
{
	(void)state;
	plan.queries[DATABASE_ALIAS] = "SELECT a, g FROM alias, domain";
	plan.queries[DATABASE_MAILBOX] = "SELECT m FROM mailbox JOIN domain USING (id)";
	plan.keys_query = "SELECT k FROM keys";
	assert_true(interest_find(&plan, &interest, &err));
	assert_string_equal(interest.tables[0], "alias");
	assert_string_equal(interest.tables[1], "domain");
	assert_string_equal(interest.tables[2], "mailbox");
	assert_string_equal(interest.tables[3], "keys");
	assert_null(interest.tables[4]);
	assert_string_equal(interest.functions[0], "USING");
	assert_null(interest.functions[1]);
	assert_null(interest.doubt);
}

static void no_table_at_all(void **state)
{
	(void)state;
	plan.queries[DATABASE_DOMAIN] = "SELECT name FROM domains()";
	assert_true(interest_find(&plan, &interest, &err));
	assert_null(interest.tables[0]);
	assert_string_equal(interest.functions[0], "domains");
	assert_null(interest.functions[1]);
}

static void words_that_are_not_known(void **state)
{
	(void)state;
	plan.queries[DATABASE_ALIAS] = "SELECT a, g FROM alias -- , other";
	assert_true(interest_find(&plan, &interest, &err));
	assert_string_equal(interest.tables[0], "alias");
	assert_non_null(interest.doubt);
}

static void use_directory(const char *base, const char *const *special)
{
	static const char *const all[] = { "goto", NULL };
	struct directory_query *query = &directory.queries[DATABASE_ALIAS];

	plan.type = "ldap";
	plan.directory = &directory;
	plan.queries[DATABASE_ALIAS] = "(&(objectClass=x)(|(mail=%s)(alias=%s)))";
	query->base = base;
	query->scope = DIRECTORY_SCOPE_ONE;
	query->all = all;
	query->special = special;
}

static void searches_of_a_directory(void **state)
{
	const struct directory_search *search;

	(void)state;
	use_directory("dc=example", NULL);
	assert_true(interest_find(&plan, &interest, &err));
	assert_int_equal(interest.search_count, 2);
	assert_null(interest.doubt);
	search = &interest.searches[1];
	assert_string_equal(search->base, "dc=example");
	assert_int_equal(search->scope, DIRECTORY_SCOPE_ONE);
	assert_non_null(strstr(search->filter, "(objectClass=x)"));
	assert_null(strchr(search->filter, '%'));
	assert_string_equal(search->attributes[0], "goto");
	assert_string_equal(search->attributes[1], "alias");
	assert_null(search->attributes[2]);
}

static void a_base_for_each_domain(void **state)
{
	(void)state;
	use_directory("ou=%d,dc=example", NULL);
	assert_true(interest_find(&plan, &interest, &err));
	assert_string_equal(interest.searches[0].base, "dc=example");
	assert_int_equal(interest.searches[0].scope, DIRECTORY_SCOPE_SUB);
}

static void entries_that_others_name(void **state)
{
	static const char *const special[] = { "member", NULL };

	(void)state;
	use_directory("dc=example", special);
	assert_true(interest_find(&plan, &interest, &err));
	assert_int_equal(interest.search_count, 1);
	assert_string_equal(interest.searches[0].filter, "(objectClass=*)");
	assert_int_equal(interest.searches[0].scope, DIRECTORY_SCOPE_SUB);
	assert_non_null(interest.doubt);
}

/* A key may be at one entry, and what the filter finds for it at another. */
static void keys_that_another_filter_finds(void **state)
{
	(void)state;
	use_directory("dc=example", NULL);
	directory.keys_filter = "(objectClass=y)";
	assert_true(interest_find(&plan, &interest, &err));
	assert_int_equal(interest.search_count, 1);
	assert_string_equal(interest.searches[0].filter, "(objectClass=*)");
	assert_int_equal(interest.searches[0].scope, DIRECTORY_SCOPE_SUB);
	assert_null(interest.doubt);
}

/* At each step of the way. */
static void no_memory(void **state)
{
	bool is_found = false;

	(void)state;
	use_directory("dc=example", NULL);
	for (size_t limit = 0; !is_found; limit += 64) {
		arena_free(&plan.arena);
		arena_init(&plan.arena, limit);
		is_found = interest_find(&plan, &interest, &err);
		if (!is_found)
			assert_int_equal(err.status, EX_OSERR);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tables_of_all_queries),          TEST(no_table_at_all),
		TEST(words_that_are_not_known),       TEST(searches_of_a_directory),
		TEST(a_base_for_each_domain),         TEST(entries_that_others_name),
		TEST(keys_that_another_filter_finds), TEST(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
