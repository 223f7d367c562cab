/* SPDX-License-Identifier: BSD-2-Clause */
/* regexp_table(5) and pcre_table(5) as rows. */
#include "read_source.h"

#include <sysexits.h>

static void pcre(const char *text, const char *expected)
{
	source_gives("pcre", NULL, text, expected);
}

static void regexp(const char *text, const char *expected)
{
	source_gives("regexp", NULL, text, expected);
}

static void rules_are_pattern_and_value(void **state)
{
	(void)state;
	pcre("# c\n/^(.*)@old\\.test$/  $1@new.test\n/@/\n  a@b.test, c@d.test\n",
	     "2 rule is [^(.*)@old\\.test$] [${1}@new.test]\n"
	     "3 rule is [@] [a@b.test, c@d.test]\n");
	regexp("/^(.*)@old\\.test$/ $1@new.test\n",
	       "1 rule is [^(.*)@old\\.test$] [${1}@new.test]\n");
	pcre("/@/ error:5.2.1:550 gone, with $5\n",
	     "1 rule is [@] [error:5.2.1:550 gone, with $5]\n");
}

static void delimiters_may_be_any(void **state)
{
	(void)state;
	pcre("|a\\|b| x\n#c# y\n", "1 rule is [a\\|b] [x]\n");
	pcre("{a{ x\n,a\\\\, y\n", "1 rule is [a] [x]\n2 rule is [a\\\\] [y]\n");
	pcre("\"a b\"i x\n", "1 rule s [a b] [x]\n");
}

static void flags_toggle_their_defaults(void **state)
{
	(void)state;
	pcre("/a/i x\n/a/s x\n/a/ii x\n/a/mxAEUX x\n",
	     "1 rule s [a] [x]\n2 rule i [a] [x]\n3 rule is [a] [x]\n"
	     "4 rule imsxAEU [a] [x]\n");
	regexp("/a/i x\n/a/m x\n/a+(b)/x x\n",
	       "1 rule s [a] [x]\n2 rule ims [a] [x]\n3 rule is [a\\+\\(b\\)] [x]\n");
	pcre("/a/z x\n/b/!c x\n", "/f:1: unknown flag \"z\"\n/f:2: unknown flag \"!\"\n");
	regexp("/a/A x\n", "/f:1: unknown flag \"A\"\n");
	assert_int_equal(source_status, EX_DATAERR);
}

static void patterns_can_be_negated(void **state)
{
	(void)state;
	pcre("!/a/ x\n! /a/ x\n!!/a/ x\n",
	     "1 rule !is [a] [x]\n2 rule !is [a] [x]\n3 rule is [a] [x]\n");
	pcre("!/(a)/ $1\n", "/f:1: $1: the pattern has 0 groups\n");
}

static void regexp_may_have_an_exception(void **state)
{
	(void)state;
	regexp("/(a)/!/b/ $1\n/a/!/b/i x\n/a/i!/b/ x\n/a/m!/b/ x\n",
	       "1 rule is [(a)] ![b] [${1}]\n2 rule is [a] ![(?-i)b] [x]\n"
	       "3 rule s [a] ![(?i)b] [x]\n4 rule ims [a] ![(?-m)b] [x]\n");
	regexp("/a/!!/b/ x\n/a/! x\n", "/f:1: the second pattern must be one that does not match\n"
				       "/f:2: a pattern is expected\n");
}

static void ifs_enclose_rules(void **state)
{
	(void)state;
	pcre("if /a/\nif !/b/i\n/c/ x\nendif\nENDIF\n/d/ y\n",
	     "1 if is [a]\n2 if !s [b]\n3 rule is [c] [x]\n4 endif \n5 endif \n"
	     "6 rule is [d] [y]\n");
	pcre("if/a/\n/c/ x\n", "1 if is [a]\n2 rule is [c] [x]\n1 endif \n/f:1: warning: an if "
			       "without its endif [unclosed-if]\n");
	assert_int_equal(source_status, 0);
	pcre("endif\nif /a/ b\nendif c\nif /(/\nendif\niff /a/ x\n",
	     "5 endif \n"
	     "/f:1: an endif without its if\n"
	     "/f:2: text behind the pattern of an if (a line that is indented continues the one "
	     "before it)\n"
	     "/f:3: text behind an endif (a line that is indented continues the one before it)\n"
	     "/f:4: pattern: missing closing parenthesis (at byte 1)\n"
	     "/f:6: expected: /pattern/ value, if /pattern/, or endif\n");
}

static void groups_are_normalised_and_counted(void **state)
{
	(void)state;
	pcre("/(a)(b)/ ${2}$(1)$$x$1@y.test\n", "1 rule is [(a)(b)] [${2}${1}$$x${1}@y.test]\n");
	pcre("/(a)/ $2\n/(a)/ $0\n/(a)/ $x\n/(a)/ $\n/(a)/ ${1\n/(a)/ $99999999999\n/(a)/ $1x\n",
	     "/f:1: $2: the pattern has 1 groups\n"
	     "/f:2: $0: the pattern has 1 groups\n"
	     "/f:3: $x: the pattern has 1 groups\n"
	     "/f:4: a \"$\" names no group; write $$ for a dollar\n"
	     "/f:5: a \"$\" names no group; write $$ for a dollar\n"
	     "/f:6: $99999999999: the pattern has 1 groups\n"
	     "/f:7: $1x: the pattern has 1 groups\n");
}

/* A match keeps 99 groups: a pattern may have more, its value can't name them. */
static void groups_beyond_a_match_can_not_be_named(void **state)
{
	char text[1024] = "/";
	char expected[1024] = "1 rule is [";

	(void)state;
	for (int i = 0; i < 120; i++) {
		strcat(text, "(a)");
		strcat(expected, "(a)");
	}
	strcat(text, "/ $99\n/a/ x\n");
	strcat(expected, "] [${99}]\n2 rule is [a] [x]\n");
	pcre(text, expected);
	text[strlen(text) - strlen("99\n/a/ x\n")] = '\0';
	strcat(text, "100\n");
	pcre(text, "/f:1: $100: only the first 99 groups of a pattern can be put in\n");
	assert_int_equal(source_status, EX_DATAERR);
}

static void wrong_rules_are_errors(void **state)
{
	(void)state;
	pcre("/a/\n/a x\n// x\nx y\n/[/ x\n! x\n\\a\\ x\n",
	     "/f:1: expected: /pattern/ value\n"
	     "/f:2: the pattern does not end\n"
	     "/f:3: the pattern is empty\n"
	     "/f:4: expected: /pattern/ value, if /pattern/, or endif\n"
	     "/f:5: pattern: missing terminating ] for character class (at byte 1)\n"
	     "/f:6: a pattern is expected\n"
	     "/f:7: such a character can't enclose a pattern\n");
	regexp("/(?:a)/ x\n/a**/ x\n/a/ x\n",
	       "3 rule is [a] [x]\n"
	       "/f:1: `(?` is the syntax of PCRE; should the type be \"pcre\"?\n"
	       "/f:2: a quantifier has nothing before it that it can repeat\n");
}

static void patterns_have_a_limit(void **state)
{
	size_t size = 70000;
	char *text = malloc(size + 16);
	char *got;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', size + 16);
	text[0] = '/';
	memcpy(text + size, "/ x\n", 4);
	source_put(source_path, text, size + 4);
	free(text);
	got = source_read("pcre", NULL);
	assert_string_equal(got, "/f:1: the pattern has more than 65536 bytes\n");
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(rules_are_pattern_and_value),
		SOURCE_TEST(delimiters_may_be_any),
		SOURCE_TEST(flags_toggle_their_defaults),
		SOURCE_TEST(patterns_can_be_negated),
		SOURCE_TEST(regexp_may_have_an_exception),
		SOURCE_TEST(ifs_enclose_rules),
		SOURCE_TEST(groups_are_normalised_and_counted),
		SOURCE_TEST(groups_beyond_a_match_can_not_be_named),
		SOURCE_TEST(wrong_rules_are_errors),
		SOURCE_TEST(patterns_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
