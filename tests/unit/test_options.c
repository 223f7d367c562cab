/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

enum { WORDS_MAX = 8 };

static const struct command command = {
	.name = "test",
	.accepts = "tcnvjC",
	.least_operands = 1,
	.most_operands = 2,
	.usage = "test FILE",
};

/* Parse up to seven words behind the name of the command. */
static bool parse(const char *const words[WORDS_MAX], char *argv[WORDS_MAX + 2],
		  struct options *options, struct error *err)
{
	int argc = 1;

	argv[0] = (char *)"test";
	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)words[argc - 1];
	argv[argc] = NULL;
	return options_parse(&command, argc, argv, options, err);
}

static void options_and_operands_may_be_mixed(void **state)
{
	static const char *const words[WORDS_MAX] = { "one", "-nt", "table", "--json", "two" };
	char *argv[WORDS_MAX + 2];
	struct options options;

	(void)state;
	assert_true(parse(words, argv, &options, NULL));
	assert_string_equal(options.table, "table");
	assert_true(options.is_brief && options.is_json && !options.is_verbose);
	assert_int_equal(options.operand_count, 2);
	assert_string_equal(options.operands[0], "one");
	assert_string_equal(options.operands[1], "two");
}

static void a_long_option_may_have_a_value(void **state)
{
	static const char *const words[WORDS_MAX] = { "1", "--postfix-config", "here", "-v" };
	char *argv[WORDS_MAX + 2];
	struct options options;

	(void)state;
	assert_true(parse(words, argv, &options, NULL));
	assert_string_equal(options.postfix_directory, "here");
	assert_null(options.postconf);
	assert_true(options.is_verbose);
	assert_int_equal(options.operand_count, 1);
}

static void a_dash_is_an_operand_and_two_end_the_options(void **state)
{
	static const char *const words[WORDS_MAX] = { "-", "--", "-n" };
	char *argv[WORDS_MAX + 2];
	struct options options;

	(void)state;
	assert_true(parse(words, argv, &options, NULL));
	assert_int_equal(options.operand_count, 2);
	assert_string_equal(options.operands[1], "-n");
	assert_false(options.is_brief);
}

static void bad_usage_names_the_word(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *named;
	} cases[] = {
		{ { NULL }, "needs more" },
		{ { "1", "2", "3" }, " 3 " },
		{ { "-x", "1" }, " -x " },
		{ { "--frob", "1" }, " --frob " },
		{ { "--json=yes", "1" }, " --json=yes " },
		{ { "-o", "x", "1" }, " -o " },
		{ { "--force", "1" }, " --force " },
		{ { "1", "-t" }, " -t " },
		{ { "--postconf", "x", "1" }, " --postconf " },
		{ { "1", "--postfix-config" }, " --postfix-config " },
		{ { "-C", "x", "1" }, " -C " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[WORDS_MAX + 2];
		struct options options;
		struct error err;

		assert_false(parse(cases[i].words, argv, &options, &err));
		assert_int_equal(err.status, EX_USAGE);
		assert_non_null(strstr(err.text, cases[i].named));
		assert_non_null(strstr(err.text, "usage: rcptmap test FILE"));
	}
}

static void help_needs_no_operands(void **state)
{
	static const char *const words[WORDS_MAX] = { "--help" };
	char *argv[WORDS_MAX + 2];
	struct options options;

	(void)state;
	assert_true(parse(words, argv, &options, NULL));
	assert_true(options.wants_help);
}

static int find_word(const char *const *words)
{
	char *argv[WORDS_MAX];
	int argc = 0;

	for (; words[argc] != NULL; argc++)
		argv[argc] = (char *)words[argc];
	argv[argc] = NULL;
	return options_find_word(argc, argv);
}

static void the_first_word_may_stand_behind_options(void **state)
{
	(void)state;
	assert_int_equal(find_word((const char *const[]){ "r", "dump", "-t", "x", NULL }), 1);
	assert_int_equal(find_word((const char *const[]){ "r", "-c", "conf", "dump", NULL }), 3);
	assert_int_equal(find_word((const char *const[]){ "r", "-cconf", "--json", "dump", NULL }),
			 3);
	assert_int_equal(find_word((const char *const[]){ "r", "--", "dump", NULL }), 2);
	assert_int_equal(find_word((const char *const[]){ "r", "-c", "conf", NULL }), 0);
	assert_int_equal(find_word((const char *const[]){ "r", "-c", NULL }), 0);
	assert_int_equal(find_word((const char *const[]){ "r", "--frob", "dump", NULL }), 2);
	assert_int_equal(find_word((const char *const[]){ "r", "-q", "key", "dump", NULL }), 0);
}

static void q_is_quiet_where_it_is_no_key(void **state)
{
	static const struct command quiet = {
		.name = "test", .accepts = "nQW", .most_operands = 1, .usage = "test"
	};
	char *argv[] = { (char *)"test", (char *)"-qn",   (char *)"one",
			 (char *)"-W",   (char *)"error", NULL };
	char *with_key[] = { (char *)"test", (char *)"-q", (char *)"one", NULL };
	struct command query = quiet;
	struct options options;
	struct error err;

	(void)state;
	assert_true(options_parse(&quiet, 5, argv, &options, NULL));
	assert_true(options.warnings.are_silent && options.warnings.are_errors && options.is_brief);
	assert_null(options.key);
	assert_string_equal(options.operands[0], "one");
	argv[3] = (char *)"eror"; /* where getopt_long() moved it */
	assert_false(options_parse(&quiet, 5, argv, &options, &err));
	assert_int_equal(err.status, EX_USAGE);
	with_key[1] = (char *)"--query";
	assert_false(options_parse(&quiet, 3, with_key, &options, NULL));
	with_key[1] = (char *)"-q";
	query.accepts = "q";
	assert_true(options_parse(&query, 3, with_key, &options, NULL));
	assert_string_equal(options.key, "one");
	assert_false(options.warnings.are_silent);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_may_be_mixed),
		cmocka_unit_test(a_long_option_may_have_a_value),
		cmocka_unit_test(a_dash_is_an_operand_and_two_end_the_options),
		cmocka_unit_test(bad_usage_names_the_word),
		cmocka_unit_test(help_needs_no_operands),
		cmocka_unit_test(q_is_quiet_where_it_is_no_key),
		cmocka_unit_test(the_first_word_may_stand_behind_options),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
