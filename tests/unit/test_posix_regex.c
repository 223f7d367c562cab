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

/* ---- groups ---------------------------------------------------------------------------------- */

static bool same_text(const char *subject, const regmatch_t *theirs, const PCRE2_SIZE *ours)
{
	size_t their_size = theirs->rm_so < 0 ? 0 : (size_t)(theirs->rm_eo - theirs->rm_so);
	size_t our_size = ours[0] == PCRE2_UNSET ? 0 : ours[1] - ours[0];

	return their_size == our_size &&
	       (our_size == 0 || memcmp(subject + theirs->rm_so, subject + ours[0], our_size) == 0);
}

enum { GROUPS = 10 };

static void compare_groups(const char *text, const char *subject, const pcre2_code *code,
			   const regex_t *regex, const struct posix_groups *groups,
			   unsigned *compared, unsigned *other)
{
	pcre2_match_data *data = pcre2_match_data_create(50, NULL);
	regmatch_t theirs[GROUPS];
	const PCRE2_SIZE *ours = pcre2_get_ovector_pointer(data);
	int count = pcre2_match(code, (PCRE2_SPTR)subject, strlen(subject), 0, 0, data, NULL);

	if ((regexec(regex, subject, GROUPS, theirs, 0) == 0) != (count > 0))
		fail_msg("%s matches %s?", text, subject);
	for (unsigned i = 1; count > 0 && i <= groups->count && i < GROUPS; i++) {
		static const PCRE2_SIZE unset[2] = { PCRE2_UNSET, PCRE2_UNSET };
		unsigned number = groups->numbers[i];

		++*compared;
		if (!same_text(subject, &theirs[i],
			       number < (unsigned)count ? ours + 2 * (size_t)number : unset))
			++*other;
	}
	pcre2_match_data_free(data);
}

/* An expression without alternatives and most counts in braces: see the header. */
static void random_groups(char *out, size_t room)
{
	static const char *const pieces[] = { "a", "b", "a",    "b",    ".",      "*",    "+",
					      "?", "(", ")",    "(",    ")",      "[ab]", "[^a]",
					      "-", "b", "{0,}", "{2,}", "[a-c]*", "[-.]?" };
	size_t size = (size_t)snprintf(out, room, "^");

	for (unsigned count = 2 + random_below(9); count > 0; count--)
		size += (size_t)snprintf(out + size, room - size, "%s",
					 pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
	(void)snprintf(out + size, room - size, "@$");
}

static void random_subject(char *out)
{
	unsigned size = random_below(7);

	for (unsigned i = 0; i < size; i++)
		out[i] = "ab-.ac"[random_below(6)];
	out[size] = '@';
	out[size + 1] = '\0';
}

static void groups_hold_what_they_hold_in_the_c_library(void **state)
{
	unsigned compared = 0, other = 0;
	struct buffer out;

	(void)state;
	buffer_init(&out, 10000);
	for (unsigned i = 0; i < 400000; i++) {
		struct posix_groups groups;
		char text[256], subject[16];
		struct error err;
		pcre2_code *code;
		regex_t regex;

		random_groups(text, sizeof(text));
		buffer_clear(&out);
		if (!posix_regex_translate_groups(bytes_of(text), true, &out, &groups, &err))
			continue;
		code = compile(buffer_bytes(&out));
		assert_non_null(code);
		assert_int_equal(regcomp(&regex, text, REG_EXTENDED), 0);
		for (int j = 0; j < 30; j++) {
			random_subject(subject);
			compare_groups(text, subject, code, &regex, &groups, &compared, &other);
		}
		regfree(&regex);
		pcre2_code_free(code);
	}
	buffer_free(&out);
	assert_true(compared > 4000);
	/* The C library has a mind of its own about empty groups within repeated ones: one in 8,000
	 * that were compared. Six in 1,000 were others before empty rounds were kept out. */
	assert_true(other * 1000 < compared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extended_ones_keep_their_meaning),
		cmocka_unit_test(basic_ones_keep_their_meaning),
		cmocka_unit_test(what_would_mean_something_else_is_refused),
		cmocka_unit_test(groups_hold_what_they_hold_in_the_c_library),
		cmocka_unit_test(random_ones_match_what_the_c_library_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
