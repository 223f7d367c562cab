/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/apart.h"

#include <signal.h>
#include <sysexits.h>

#include "scratch.h"

static char mistakes[2000];

static void collect(const char *text, void *context)
{
	size_t size = strlen(mistakes);

	assert_ptr_equal(context, mistakes);
	(void)snprintf(mistakes + size, sizeof(mistakes) - size, "%s\n", text);
}

static struct settings *load(const char *name, struct error *err)
{
	mistakes[0] = '\0';
	return settings_load_apart(scratch_path(name), collect, mistakes, err);
}

static void what_is_read_is_the_same(void **state)
{
	struct settings *settings;
	struct error err;

	(void)state;
	scratch_put("conf", "origin = \"other.test\";\nmax_sessions = 7;\n"
			    "sources = ( { type = \"virtual\"; path = \"/x\"; } );\n");
	settings = load("conf", &err);
	assert_non_null(settings);
	assert_string_equal(mistakes, "");
	assert_string_equal(settings->origin, "other.test");
	assert_int_equal(settings->max_sessions, 7);
	assert_int_equal(settings->sources[0].line, 3);
	assert_string_equal(settings->file, scratch_path("conf"));
	settings_free(settings);
}

static void all_mistakes_are_told_and_the_last_is_the_error(void **state)
{
	struct error err;

	(void)state;
	scratch_put("conf", "foo = 1;\nbar = 2;\n");
	assert_null(load("conf", &err));
	assert_int_equal(err.status, EX_CONFIG);
	assert_non_null(strstr(mistakes, "\"foo\""));
	assert_non_null(strstr(mistakes, "\"bar\""));
	assert_non_null(strstr(err.text, "\"bar\""));
	assert_null(load("none", &err));
	assert_int_equal(err.status, EX_NOINPUT);
}

/* As in a program whose parent didn't want to hear of its children. */
static void nobody_has_to_reap(void **state)
{
	struct settings *settings;
	struct error err;

	(void)state;
	scratch_put("conf", "max_sessions = 8;\n");
	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	settings = load("conf", &err);
	assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	assert_non_null(settings);
	settings_free(settings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_read_is_the_same),
		TEST(all_mistakes_are_told_and_the_last_is_the_error),
		TEST(nobody_has_to_reap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
