/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX expressions as PCRE2 patterns: matched against the C library's own regexec(). */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "sources/posix_regex.h"

static bool translate(const char *text, bool is_extended, struct buffer *out, struct error *err)
{
	buffer_clear(out);
	return posix_regex_translate(bytes_of(text), is_extended, out, err);
}

static pcre2_code *compile(struct bytes text)
{
	int number;
	PCRE2_SIZE at;

	return pcre2_compile((PCRE2_SPTR)(text.size > 0 ? text.data : ""), text.size,
			     PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY, &number, &at, NULL);
}

static bool pcre_matches(const pcre2_code *code, const char *subject)
{
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
	bool matches;

	assert_non_null(data);
	matches = pcre2_match(code, (PCRE2_SPTR)subject, strlen(subject), 0, 0, data, NULL) >= 0;
	pcre2_match_data_free(data);
	return matches;
}

static void becomes(const char *text, bool is_extended, const char *expected)
{
	struct buffer out;
	struct error err;

	buffer_init(&out, 10000);
	if (!translate(text, is_extended, &out, &err))
		fail_msg("%s: %s", text, err.text);
	(void)buffer_append_byte(&out, '\0');
	assert_string_equal(out.data, expected);
	buffer_free(&out);
}

static void refused(const char *text, bool is_extended)
{
	struct buffer out;
	struct error err;

	buffer_init(&out, 10000);
	if (translate(text, is_extended, &out, &err))
		fail_msg("accepted: %s", text);
	assert_int_equal(err.status, 65);
	buffer_free(&out);
}

static void extended_ones_keep_their_meaning(void **state)
{
	(void)state;
	becomes("^(a|b)*@x\\.test$", true, "^(a|b)*@x\\.test$");
	becomes("a{2}b{,3}c{1,}", true, "a{2,2}b{0,3}c{1,}");
	becomes("[]a-z[:digit:]\\d[.-.]^]", true, "[\\]a-z[:digit:]\\\\d\\-\\^]");
	becomes("[^[=a=]$]", true, "[^a\\$]");
	becomes("a)b}", true, "a\\)b\\}");
	becomes("(a)\\1\\<b\\>\\d\\/", true, "(a)\\g{1}\\b(?=\\w)b\\b(?<=\\w)d/");
	becomes("", true, "");
}

static void basic_ones_keep_their_meaning(void **state)
{
	(void)state;
	becomes("*a+(b|c)?", false, "\\*a\\+\\(b\\|c\\)\\?");
	becomes("\\(^a*\\|b$\\)a^b$c\\{1,2\\}", false, "(^a*|b$)a\\^b\\$c{1,2}");
	becomes("\\(*a\\)\\1{2}", false, "(\\*a)\\g{1}\\{2\\}");
}

static void what_would_mean_something_else_is_refused(void **state)
{
	static const char *const bad[] = { "(?:a)",    "(*VERB)a", "a*?",    "a++",      "*a",
					   "a|*b",     "a{2",      "a{x}",   "a{3,2}",   "(a",
					   "[a",       "[[:x",     "a\\",    "a{99999}", "{1}",
					   "[[.ab.]]", "\\1",      "(a\\1)", "a|(b)\\1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], true);
	refused("\\(a", false);
	refused("a\\)", false);
}

/* ---- against the C library ------------------------------------------------------------------- */

static uint64_t random_state = 88172645463325252u;

static unsigned random_below(unsigned limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % limit);
}

static void random_pattern(char *out, size_t room)
{
	static const char *const pieces[] = {
		"a",     "b",    "a",           "b",    ".",     "*",         "+",    "?",
		"(",     ")",    "|",           "^",    "$",     "\\(",       "\\)",  "\\|",
		"\\+",   "\\?",  "{1}",         "{,2}", "{0,1}", "\\{1,2\\}", "[ab]", "[^a]",
		"[a-b]", "[]a]", "[[:alpha:]]", "\\.",  "\\1",   "\\<",       "\\>",  "\\w",
		"\\b",   "-",    "]",           "}",    "[\\]",  "\\a",       "\\^",
	};
	size_t size = 0;
	unsigned count = 1 + random_below(6);

	out[0] = '\0';
	while (count-- > 0)
		size += (size_t)snprintf(out + size, room - size, "%s",
					 pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
}

static void compare(const char *text, bool is_extended, unsigned *accepted)
{
	static const char *const subjects[] = {
		"",  "a",  "b",   "aa",  "ab",  "ba",  "bb",  "aab", "aba", "abb", "*",
		"+", "?",  "(a)", "a|b", "^a",  "a$",  "a^b", "{1}", "a.",  "a-b", "]",
		"}", "\\", "a*",  "b+a", "a b", "aaa", "bab", "a{",  "a}",  "\\a", "1",
	};
	struct buffer out;
	struct error err;
	pcre2_code *code;
	regex_t regex;

	buffer_init(&out, 10000);
	if (!translate(text, is_extended, &out, &err))
		goto out;
	code = compile(buffer_bytes(&out));
	if (code == NULL)
		goto out;
	if (regcomp(&regex, text, is_extended ? REG_EXTENDED | REG_NOSUB : REG_NOSUB) != 0)
		fail_msg("accepted what the C library refuses: %s", text);
	++*accepted;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if ((regexec(&regex, subjects[i], 0, NULL, 0) == 0) !=
		    pcre_matches(code, subjects[i]))
			fail_msg("%s, as " BYTES_FORMAT ", is wrong about: %s", text,
				 BYTES_ARGS(buffer_bytes(&out)), subjects[i]);
	regfree(&regex);
	pcre2_code_free(code);
out:
	buffer_free(&out);
}

static void random_ones_match_what_the_c_library_matches(void **state)
{
	unsigned accepted[2] = { 0, 0 };
	char text[256];

	(void)state;
	for (unsigned i = 0; i < 40000; i++) {
		random_pattern(text, sizeof(text));
		compare(text, i % 2 == 0, &accepted[i % 2]);
	}
	assert_true(accepted[0] > 4000);
	assert_true(accepted[1] > 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extended_ones_keep_their_meaning),
		cmocka_unit_test(basic_ones_keep_their_meaning),
		cmocka_unit_test(what_would_mean_something_else_is_refused),
		cmocka_unit_test(random_ones_match_what_the_c_library_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
