/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/virtuser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

static struct buffer expression;
static struct buffer value;
static struct error err;

static int begin(void **state)
{
	(void)state;
	buffer_init(&expression, VIRTUSER_TEXT_MAX);
	buffer_init(&value, VIRTUSER_TEXT_MAX);
	return 0;
}

static int end(void **state)
{
	(void)state;
	buffer_free(&expression);
	buffer_free(&value);
	return 0;
}

static struct virtuser_rule parsed(const char *line)
{
	struct virtuser_rule rule;

	if (!virtuser_parse(bytes_of(line), &rule, &err))
		fail_msg("%s: %s", line, err.text);
	return rule;
}

static void is_text(const struct buffer *buffer, const char *expected)
{
	assert_string_equal(buffer->size == 0 ? "" : buffer->data, expected);
}

/* ---- parsing ------------------------------------------------------------------------------ */

static void each_form_has_its_key(void **state)
{
	static const struct {
		const char *line;
		enum virtuser_form form;
		const char *user;
	} cases[] = {
		{ "ann@d.test x@y", VIRTUSER_USER, "ann" },
		{ "ann+list@d.test x@y", VIRTUSER_DETAIL, "ann+list" },
		{ "ann+a+b@d.test x@y", VIRTUSER_DETAIL, "ann+a+b" },
		{ "ann+@d.test x@y", VIRTUSER_DETAIL, "ann+" },
		{ "ann++@d.test x@y", VIRTUSER_ANY_BUT_EMPTY, "ann" },
		{ "ann+*@d.test x@y", VIRTUSER_ANY, "ann" },
		{ "ann+**@d.test x@y", VIRTUSER_DETAIL, "ann+**" },
		{ "++@d.test x@y", VIRTUSER_ALL_BUT_EMPTY, "" },
		{ "+*@d.test x@y", VIRTUSER_ALL, "" },
		{ "@d.test\tx@y", VIRTUSER_DOMAIN, "" },
		/* The last @ parts them. */
		{ "a@b@d.test x@y", VIRTUSER_USER, "a@b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct virtuser_rule rule = parsed(cases[i].line);

		assert_int_equal(rule.form, cases[i].form);
		assert_true(bytes_equal(rule.user, bytes_of(cases[i].user)));
		assert_true(bytes_equal(rule.domain, bytes_of("d.test")));
		assert_true(bytes_equal(rule.value, bytes_of("x@y")));
	}
}

static void wrong_lines_say_why(void **state)
{
	static const char *const cases[][2] = {
		{ " ann@d.test x@y", "begins with white space" },
		{ "ann@d.test", "expected: key whitespace value" },
		{ "ann@d.test \t ", "expected: key whitespace value" },
		{ "ann x@y", "expected as key" },
		{ "ann@ x@y", "expected as key" },
		{ "+list@d.test x@y", "no user before" },
		{ "+@d.test x@y", "no user before" },
		{ "a\377@d.test x@y", "not valid UTF-8" },
		{ "ann@d.test x@y, z@y", "one target only" },
		{ "ann@d.test x@y z@y", "one target only" },
		{ "ann@d.test %0@y", "only %1, %2 and %3" },
		{ "ann@d.test %4@y", "only %1, %2 and %3" },
		{ "ann@d.test %2", "nothing is left" },
		{ "ann@d.test %2%3", "nothing is left" },
		{ "ann+list@d.test %3", "nothing is left" },
		{ "@d.test %3", "nothing is left" },
		{ "ann+*@d.test error:nouser %2", "can't have parts" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct virtuser_rule rule = { .line = 7 };

		if (virtuser_parse(bytes_of(cases[i][0]), &rule, &err))
			fail_msg("%s is accepted", cases[i][0]);
		assert_int_equal(err.status, EX_DATAERR);
		if (strstr(err.text, cases[i][1]) == NULL)
			fail_msg("%s: %s", cases[i][0], err.text);
		assert_int_equal(rule.line, 7);
	}
}

static void what_looks_like_a_parameter_may_be_none(void **state)
{
	(void)state;
	(void)parsed("ann@d.test 100%");
	(void)parsed("ann@d.test 100%%4");
	(void)parsed("ann@d.test %x@y");
	(void)parsed("ann@d.test \"x y, z\"@y");
	(void)parsed("ann@d.test error:5.1.1:550 No, not here");
	(void)parsed("ann+*@d.test %2");
}

static void a_line_has_a_limit(void **state)
{
	char line[VIRTUSER_TEXT_MAX];
	struct virtuser_rule rule;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "ann@d.test ", 11);
	assert_true(virtuser_parse(bytes_make(line, VIRTUSER_TEXT_MAX / 2), &rule, &err));
	assert_false(virtuser_parse(bytes_make(line, VIRTUSER_TEXT_MAX / 2 + 1), &rule, &err));
	assert_non_null(strstr(err.text, "too long"));
}

/* ---- entries ------------------------------------------------------------------------------ */

static void entry(const char *line, const char *expected)
{
	struct virtuser_rule rule = parsed(line);

	assert_true(virtuser_is_entry(&rule));
	virtuser_entry(&rule, &value);
	is_text(&value, expected);
}

static void parameters_of_an_entry_are_known(void **state)
{
	(void)state;
	entry("ann@d.test x@y", "x@y");
	entry("ann@d.test %1@y", "ann@y");
	entry("ann@d.test %1%3@y", "ann@y");
	entry("ann+list@d.test %1@y", "ann+list@y");
	entry("ann@d.test a%%b%1$%", "a%bann$%");
	entry("ann@d.test %%1@y", "%1@y");
	entry("@d.test x@y", "x@y");
	entry("@d.test %1@other.test", "@other.test");
	entry("@d.test %1%3@other.test", "@other.test");
	entry("@d.test error:nouser No", "error:nouser No");
}

static void the_rest_is_no_entry(void **state)
{
	static const char *const lines[] = {
		"ann++@d.test x@y",      "ann+*@d.test x@y",    "++@d.test x@y",
		"+*@d.test x@y",         "@d.test %1",          "@d.test pre-%1@y",
		"@d.test %1%2@y",        "@d.test %1@y%1.test", "@d.test %1@",
		"@d.test %1%3%3@y.test",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct virtuser_rule rule = parsed(lines[i]);

		if (virtuser_is_entry(&rule))
			fail_msg("%s", lines[i]);
	}
}

static void the_detail_is_seen_in_a_value(void **state)
{
	static const struct {
		const char *line;
		bool uses;
	} cases[] = {
		{ "ann@d.test x@y", false },    { "ann@d.test %1@y", false },
		{ "ann@d.test x%2@y", true },   { "ann@d.test x%3@y", true },
		{ "ann@d.test x%%2@y", false }, { "ann@d.test x%%%2@y", true },
		{ "ann@d.test %1%2@y", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct virtuser_rule rule = parsed(cases[i].line);

		if (virtuser_uses_detail(&rule) != cases[i].uses)
			fail_msg("%s", cases[i].line);
	}
}

/* ---- patterns ----------------------------------------------------------------------------- */

static void pattern(const char *line, bool is_plain, const char *expected, const char *target)
{
	struct virtuser_rule rule = parsed(line);

	virtuser_pattern(&rule, is_plain, &expression, &value);
	is_text(&expression, expected);
	is_text(&value, target);
}

static void groups_stand_for_the_parameters(void **state)
{
	(void)state;
	pattern("ann+*@d.test %1@%2.y", false, "^ann\\+([^@\"]*)@d\\.test$", "ann@${1}.y");
	pattern("ann++@d.test %1%3@y", false, "^ann\\+([^@\"]+)@d\\.test$", "ann+${1}@y");
	pattern("+*@d.test %1@y", false, "^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]*)@d\\.test$", "${1}@y");
	pattern("++@d.test %1%3@y", false, "^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]+)@d\\.test$",
		"${1}+${2}@y");
	pattern("@d.test pre-%1%3@y", false, "^(\\+[^+@\"]*|[^+@\"]+)\\+([^@\"]*)@d\\.test$",
		"pre-${1}+${2}@y");
	pattern("@d.test pre-%1%3@y", true, "^(\\+[^+@\"]*|[^+@\"]+)@d\\.test$", "pre-${1}@y");
}

static void letters_of_expressions_and_templates_are_taken_as_they_are(void **state)
{
	(void)state;
	pattern("a.b*{c}$+*@d.test x@y", false, "^a\\.b\\*\\{c\\}\\$\\+([^@\"]*)@d\\.test$", "x@y");
	pattern("a$1+*@d.test %1$2@y", false, "^a\\$1\\+([^@\"]*)@d\\.test$", "a$$1$$2@y");
	/* The words of a reply are no template. */
	pattern("ann+*@d.test error:nouser $1", false, "^ann\\+([^@\"]*)@d\\.test$",
		"error:nouser $$1");
}

static void a_full_buffer_is_told(void **state)
{
	struct virtuser_rule rule = parsed("ann+*@d.test %1%2%3@y.test");

	(void)state;
	for (size_t limit = 0; limit < 23; limit++) { /* of the expression */
		buffer_free(&expression);
		buffer_free(&value);
		buffer_init(&expression, limit);
		buffer_init(&value, limit);
		virtuser_pattern(&rule, false, &expression, &value);
		assert_true(expression.has_failed || value.has_failed);
		rule.form = VIRTUSER_USER;
		virtuser_entry(&rule, &value);
		assert_int_equal(value.has_failed, limit < strlen("ann@y.test"));
		rule.form = VIRTUSER_ANY;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_form_has_its_key),
		TEST(wrong_lines_say_why),
		TEST(what_looks_like_a_parameter_may_be_none),
		TEST(a_line_has_a_limit),
		TEST(parameters_of_an_entry_are_known),
		TEST(the_rest_is_no_entry),
		TEST(the_detail_is_seen_in_a_value),
		TEST(groups_stand_for_the_parameters),
		TEST(letters_of_expressions_and_templates_are_taken_as_they_are),
		TEST(a_full_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
