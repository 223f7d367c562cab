/* SPDX-License-Identifier: BSD-2-Clause */
/* What a compilation says of keys that a pattern of an earlier source goes before. */
#include "prove/shadowed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "compile/compile.h"
#include "scratch.h"

#define HEAD     "postmaster@a.test pm@far.test\n"
#define CONFLICT "warning: conflicting key "

/* What is said of RULES, then ROWS; or the other way round. */
static char *compile(const char *rules, const char *rows, bool is_turned)
{
	char rules_path[PATH_MAX], rows_path[PATH_MAX], table_path[PATH_MAX];
	struct settings_source sources[] = {
		{ .type = (char *)(uintptr_t) "pcre", .path = rules_path },
		{ .type = (char *)(uintptr_t) "virtual", .path = rows_path },
	};
	const struct settings_source turned[] = { sources[1], sources[0] };
	struct compile_options options = {
		.sources = is_turned ? turned : sources,
		.source_count = 2,
		.output = table_path,
		.is_check_only = true,
	};
	struct settings *settings;
	struct error err;
	char *messages;
	size_t size;

	scratch_put("conf", "origin = \"o.test\"; alias_domains = [ \"a.test\" ];");
	scratch_put("rules", rules);
	scratch_put("rows", rows);
	strcpy(rules_path, scratch_path("rules"));
	strcpy(rows_path, scratch_path("rows"));
	strcpy(table_path, scratch_path("table"));
	settings = settings_load(scratch_path("conf"), NULL, NULL, &err);
	options.messages = open_memstream(&messages, &size);
	assert_true(settings != NULL && options.messages != NULL);
	assert_int_equal(compile_run(settings, &options), EX_OK);
	assert_int_equal(fclose(options.messages), 0);
	settings_free(settings);
	return messages;
}

static void says(const char *rules, const char *rows, const char *words)
{
	char *messages = compile(rules, rows, false);

	if (strstr(messages, words) == NULL)
		fail_msg("%snot: %s", messages, words);
	free(messages);
}

static void says_nothing(const char *rules, const char *rows, bool is_turned)
{
	char *messages = compile(rules, rows, is_turned);

	if (strstr(messages, "conflict") != NULL)
		fail_msg("%s", messages);
	free(messages);
}

static void one_key_is_told(void **state)
{
	(void)state;
	says("/^z@/ z@far.test\n/^u@a\\.test$/ v@far.test\n", HEAD "u@a.test w@far.test\n",
	     "rows:2: " CONFLICT "u@a.test: a pattern of an earlier source counts, rules:2 "
	     "[conflict]\n");
	says("/^u@a\\.test$/ v@far.test\n", HEAD "u@a.test error:550 5.1.1 No\n",
	     CONFLICT "u@a.test");
	says("/^u@a\\.test$/ error:550 5.1.1 No\n", HEAD "u@a.test error:550 5.7.1 No\n",
	     CONFLICT "u@a.test");
	says("/^u@a\\.test$/ v@far.test\n", HEAD "u@a.test v@far.test, w@far.test\n",
	     CONFLICT "u@a.test");
}

static void of_many_the_first_is_told(void **state)
{
	char rows[40000] = HEAD;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		size_t size = strlen(rows);

		(void)snprintf(rows + size, sizeof(rows) - size, "u%d@a.test v@far.test\n", i);
	}
	says("/^u/ w@far.test\n", rows,
	     "rows:2: " CONFLICT "u0@a.test: a pattern of an earlier source counts, rules:1 (and "
	     "so it is with 999 more) [conflict]\n");
}

static void what_is_none_is_not_told(void **state)
{
	static const char rules[] = "/^u@a\\.test$/ v@far.test\n/^r@/ error:550 5.1.1 No\n";

	(void)state;
	/* They say the same. */
	says_nothing(rules, HEAD "u@a.test V@Far.test\nr@a.test error:550 5.1.1 No\n", false);
	/* The key stands in the first source. */
	says_nothing(rules, HEAD "u@a.test w@far.test\n", true);
	/* No pattern is asked for a catch-all, or a user without a domain. */
	says_nothing("/^@/ v@far.test\n/^u$/ v@far.test\n",
		     HEAD "@a.test w@far.test\nu w@far.test\n", false);
	/* Another address. */
	says_nothing(rules, HEAD "u+x@a.test w@far.test\n", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(one_key_is_told),
		SCRATCH_TEST(of_many_the_first_is_told),
		SCRATCH_TEST(what_is_none_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
