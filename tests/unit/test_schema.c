/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/schema.h"

#include <stdio.h>
#include <sysexits.h>

#include "failing_memory.h"
#include "reported.h"
#include "scratch.h"

enum { ARENA_BYTES = 1 << 20 };

static const char own[] = "parameters = { prefix = \"p_\"; };\n"
			  "words = { now = { sqlite = \"now('${prefix}')\"; mysql = \"m\"; }; };\n"
			  "alias_query = \"SELECT ${now}, '$', ${prefix}\";\n"
			  "mailbox_query = \"\";\n";

/* All that is done with a schema; *OUT_QUERY in ARENA. */
static bool use(const char *path, struct arena *arena, struct report *report,
		const char **out_query)
{
	static const char *const names[] = { "alias_query", "mailbox_query", NULL, "domain_query" };
	const char *texts[] = { NULL, "kept", NULL, NULL };
	static char name[] = "prefix", value[] = "q_";
	struct settings_member members[] = { { .name = name, .value = value } };
	const struct settings_source from = { .members = members, .member_count = 1 };
	struct schema schema;
	struct error err;
	bool is_good =
		schema_open(path, "sqlite", &from, arena, report, &schema) &&
		schema_has_parameter(&schema, "prefix") && !schema_has_parameter(&schema, "now") &&
		schema_check_value(members[0].value, &err) && !schema_check_value("q;", &err) &&
		!schema_fill(&schema, names, 1, arena, texts, &err) &&
		schema_fill(&schema, names, 4, arena, texts, &err) &&
		strcmp(texts[1], "kept") == 0 && texts[3] == NULL;

	*out_query = texts[0];

	schema_close(&schema);
	return is_good;
}

static void names_are_replaced(void **state)
{
	struct reported reported;
	struct arena arena;
	const char *query;

	(void)state;
	scratch_put("own.conf", own);
	reported_begin(&reported);
	arena_init(&arena, ARENA_BYTES);
	assert_true(use(scratch_path("own.conf"), &arena, &reported.report, &query));
	assert_string_equal(query, "SELECT now('q_'), '$', q_");
	assert_reported(&reported, "");
	arena_free(&arena);
	reported_end(&reported);
}

/* Whichever allocation fails, there is no query that lacks a part. */
static void no_memory_is_no_missing_part(void **state)
{
	struct reported reported;
	bool is_good = false;

	(void)state;
	scratch_put("own.conf", own);
	reported_begin(&reported);
	for (unsigned long at = 1; !is_good; at++) {
		struct arena arena;
		const char *query = NULL;

		assert_true(at < 1000);
		arena_init(&arena, ARENA_BYTES);
		calls = 0;
		fails_at = at;
		is_good = use(scratch_path("own.conf"), &arena, &reported.report, &query);
		fails_at = 0;
		assert_true(!is_good || at > 10);
		if (is_good)
			assert_string_equal(query, "SELECT now('q_'), '$', q_");
		arena_free(&arena);
	}
	reported_end(&reported);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(names_are_replaced),
		SCRATCH_TEST(no_memory_is_no_missing_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
