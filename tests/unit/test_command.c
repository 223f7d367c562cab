/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/command.h"

#include <sysexits.h>

#include "make_table.h"
#include "scratch.h"

static struct error err;

/* ---- TYPE:FILE ---------------------------------------------------------------------------- */

static void is_source(const char *text, const char *type, const char *path)
{
	struct settings_source source = { .line = 7 };

	if (!command_source(text, &source, &err))
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(source.type, type);
	assert_string_equal(source.path, path);
	assert_int_equal(source.line, 0);
	settings_source_clear(&source);
	assert_null(source.type);
	settings_source_clear(&source);
}

static void no_source(const char *text, const char *words)
{
	struct settings_source source = { .line = 7 };

	if (command_source(text, &source, &err))
		fail_msg("%s is accepted", text);
	assert_int_equal(err.status, EX_USAGE);
	if (strstr(err.text, words) == NULL)
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(source.line, 7);
	assert_null(source.type);
}

static void without_a_type_it_is_virtual(void **state)
{
	(void)state;
	is_source("/etc/virtual", "virtual", "/etc/virtual");
	is_source("virtual", "virtual", "virtual");
	is_source("./a:b", "virtual", "./a:b");
	is_source("/a:b", "virtual", "/a:b");
	is_source("File:name", "virtual", "File:name");
	is_source(":name", "virtual", ":name");
}

static void each_type_is_taken_off(void **state)
{
	(void)state;
	is_source("virtual:/f", "virtual", "/f");
	is_source("aliases:f", "aliases", "f");
	is_source("virtusertable:/f", "virtusertable", "/f");
	is_source("pcre:/f", "pcre", "/f");
	is_source("regexp:/a:b", "regexp", "/a:b");
	is_source("domains:/f", "domains", "/f");
	is_source("recipients::", "recipients", ":");
}

static void tables_of_postfix_are_virtual(void **state)
{
	(void)state;
	is_source("hash:/f", "virtual", "/f");
	is_source("btree:/f", "virtual", "/f");
	is_source("cdb:/f", "virtual", "/f");
	is_source("lmdb:/f", "virtual", "/f");
	is_source("dbm:/f", "virtual", "/f");
	is_source("texthash:/f", "virtual", "/f");
	is_source("proxy:hash:/f", "virtual", "/f");
	is_source("proxy:pcre:/f", "pcre", "/f");
}

static void what_is_no_source_is_bad_usage(void **state)
{
	(void)state;
	no_source("nis:/f", "there is no source type nis");
	no_source("a-b_1:/f", "there is no source type a-b_1");
	no_source("virtual:", "the file is missing");
	no_source("hash:", "the file is missing");
	no_source("-", "standard input is no source");
	no_source("hash:-", "standard input is no source");
	no_source("proxy:nis:/f", "there is no source type proxy:nis");
	no_source("", "the file is missing");
}

/* ---- which table -------------------------------------------------------------------------- */

/* One setting, of a text. */
static void configure(const char *setting, const char *value)
{
	char text[500];

	(void)snprintf(text, sizeof(text), "%s = \"%s\";\n", setting, value);
	scratch_put("conf", text);
}

static void opens(const struct options *options, uint64_t generation)
{
	struct table *table = command_open_table(options, &err);

	if (table == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(table_facts(table)->generation, generation);
	table_close(table);
}

static void the_option_goes_before_the_settings(void **state)
{
	const char *conf = scratch_path("conf");
	const char *other = scratch_path("other");

	(void)state;
	install_table(scratch_path("configured"), 1);
	install_table(scratch_path("other"), 2);
	configure("table", scratch_path("configured"));
	opens(&(struct options){ .configuration = conf }, 1);
	opens(&(struct options){ .configuration = conf, .table = other }, 2);
	opens(&(struct options){ .table = other }, 2);
}

static void settings_that_are_asked_for_must_be_right(void **state)
{
	const struct options options = { .configuration = scratch_path("conf"),
					 .table = scratch_path("other") };

	(void)state;
	install_table(scratch_path("other"), 2);
	assert_null(command_open_table(&options, &err));
	assert_int_equal(err.status, EX_NOINPUT);
	configure("no_such_setting", "x");
	assert_null(command_open_table(&options, &err));
	assert_int_equal(err.status, EX_CONFIG);
	/* Each mistake was printed when it was found. */
	assert_string_equal(err.text, "");
	assert_int_equal(command_fail(&err), EX_CONFIG);
	configure("table_owner", "no-such-user-here");
	assert_null(command_open_table(&options, &err));
	assert_int_equal(err.status, EX_CONFIG);
	assert_non_null(strstr(err.text, "no-such-user-here"));
}

static void a_table_that_is_none_is_told(void **state)
{
	const struct options options = { .table = scratch_path("none") };

	(void)state;
	assert_null(command_open_table(&options, &err));
	assert_int_equal(err.status, EX_NOINPUT);
	scratch_put("none", "no table");
	assert_null(command_open_table(&options, &err));
	assert_int_equal(err.status, EX_DATAERR);
}

/* ---- without a configuration -------------------------------------------------------------- */

static void ends_with(int status, const char *words)
{
	assert_null(command_default_settings(scratch_path("openrcpt.conf"), &err));
	assert_int_equal(err.status, status);
	if (strstr(err.text, words) == NULL)
		fail_msg("%s", err.text);
}

static void without_a_file_there_are_defaults(void **state)
{
	struct settings *settings =
		command_default_settings(scratch_path("none/openrcpt.conf"), &err);

	(void)state;
	assert_non_null(settings);
	assert_null(settings->file);
	settings_free(settings);
	assert_int_equal(mkdir(scratch_path("conf.d"), 0750), 0);
	scratch_put("conf.d/README", "none of them");
	settings = command_default_settings(scratch_path("openrcpt.conf"), &err);
	assert_non_null(settings);
	settings_free(settings);
}

/* The daemon doesn't start then, and what is in conf.d is meant to be read. */
static void files_of_others_alone_are_a_mistake(void **state)
{
	struct settings *settings;

	(void)state;
	assert_int_equal(mkdir(scratch_path("conf.d"), 0750), 0);
	scratch_put("conf.d/50-panel.conf", "origin = \"panel.example\";\n");
	ends_with(EX_NOINPUT, "conf.d/50-panel.conf");
	scratch_put("openrcpt.conf", "");
	settings = command_default_settings(scratch_path("openrcpt.conf"), &err);
	assert_non_null(settings);
	assert_string_equal(settings->origin, "panel.example");
	settings_free(settings);
}

static void a_link_to_nowhere_is_a_mistake(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", scratch_path("openrcpt.conf")), 0);
	ends_with(EX_NOINPUT, "");
	assert_int_equal(unlink(scratch_path("openrcpt.conf")), 0);
	assert_int_equal(symlink("nowhere", scratch_path("conf.d")), 0);
	ends_with(EX_NOPERM, "conf.d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_type_it_is_virtual),
		cmocka_unit_test(each_type_is_taken_off),
		cmocka_unit_test(tables_of_postfix_are_virtual),
		cmocka_unit_test(what_is_no_source_is_bad_usage),
		SCRATCH_TEST(the_option_goes_before_the_settings),
		SCRATCH_TEST(settings_that_are_asked_for_must_be_right),
		SCRATCH_TEST(a_table_that_is_none_is_told),
		SCRATCH_TEST(without_a_file_there_are_defaults),
		SCRATCH_TEST(files_of_others_alone_are_a_mistake),
		SCRATCH_TEST(a_link_to_nowhere_is_a_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
