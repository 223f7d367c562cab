/* SPDX-License-Identifier: BSD-2-Clause */
/* How expressions are matched in steps that are counted: against PCRE2 left to itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "table/patterns_inside.h"

static uint64_t random_state = 88172645463325252u;

static unsigned random_below(unsigned limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % limit);
}

static void random_text(const char *const *pieces, size_t count, unsigned most, char *out,
			size_t room)
{
	size_t size = 0;

	out[0] = '\0';
	for (unsigned left = 1 + random_below(most); left > 0; left--)
		size += (size_t)snprintf(out + size, room - size, "%s",
					 pieces[random_below((unsigned)count)]);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the same matches --------------------------------------------------------------------- */

static const char *const expression_pieces[] = {
	"a",     "b",           "c",         "ab",        "ba",   "abc",    "@",       ".",
	"\\.",   "*",           "+",         "?",         "{2}",  "{1,2}",  "*?",      "++",
	"(",     ")",           "(?:",       "(?=",       "(?!",  "|",      "^",       "$",
	"[ab]",  "[^a]",        "[]a]",      "\\d",       "\\w",  "\\b",    "(?i)",    "(?-i)",
	"A",     "[[:alpha:]]", "\\x61",     "\\Qa\\E",   "\\Ga", "(?<=a)", "(?x)",    " a",
	"#a",    "\\K",         "(*COMMIT)", "(*ACCEPT)", "\\1",  "\\g{1}", "(?P<n>",  "(?m)",
	"[\\]]", "{a",          "{,2}",      "\\z",       "(?>",  "(?1)",   "[[:<:]]", "\\A",
	"\\N",   "[a",          "\\^",       "(?#a)",     "(?U)", "(?|",    "\\R",
};
static const char *const subject_pieces[] = {
	"a", "b", "c", "ab", "abc", "@", ".", "A", "B", "1", "aab", "]", "{a", " a", "#a", "-", "_",
};
static const unsigned all_flags[] = {
	0,
	TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL,
	TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL | TABLE_PATTERN_DOLLAR_ENDONLY,
	TABLE_PATTERN_MULTILINE,
	TABLE_PATTERN_EXTENDED,
	TABLE_PATTERN_UNGREEDY | TABLE_PATTERN_DOTALL,
	TABLE_PATTERN_ANCHORED,
};

static bool same_groups(pcre2_match_data *left, pcre2_match_data *right, int count)
{
	return memcmp(pcre2_get_ovector_pointer(left), pcre2_get_ovector_pointer(right),
		      (size_t)count * 2 * sizeof(PCRE2_SIZE)) == 0;
}

static void compare(const struct pattern_machine *machine, const struct pattern_limits *limits,
		    const char *expression, const char *subject, pcre2_match_data *ours,
		    pcre2_match_data *theirs, unsigned *matches)
{
	struct pattern_budget budget = { .left = PATTERN_BUDGET_STEPS };
	enum pattern_lookup outcome =
		pattern_machine_run(machine, limits, bytes_of(subject), ours, &budget);
	int result = pcre2_match(machine->code, (PCRE2_SPTR)subject, strlen(subject), 0, 0, theirs,
				 NULL);

	if (outcome == PATTERN_GAVE_UP || result == PCRE2_ERROR_MATCHLIMIT)
		return;
	if ((outcome == PATTERN_FOUND) != (result >= 0) ||
	    (outcome == PATTERN_ABSENT) != (result == PCRE2_ERROR_NOMATCH))
		fail_msg("/%s/ %s: %d, PCRE2: %d", expression, subject, (int)outcome, result);
	if (result > 0 && !same_groups(ours, theirs, result))
		fail_msg("/%s/ %s: other groups", expression, subject);
	*matches += result >= 0;
}

static void matches_are_those_of_pcre2(void **state)
{
	pcre2_match_data *ours = pcre2_match_data_create(100, NULL);
	pcre2_match_data *theirs = pcre2_match_data_create(100, NULL);
	struct pattern_limits limits;
	unsigned compiled = 0, matches = 0;
	char expression[256], subject[256];

	(void)state;
	assert_true(pattern_limits_init(&limits));
	for (unsigned i = 0; i < 60000; i++) {
		struct pattern_machine machine;

		random_text(expression_pieces, COUNT(expression_pieces), 8, expression,
			    sizeof(expression));
		if (!pattern_machine_init(&machine, bytes_of(expression),
					  all_flags[i % COUNT(all_flags)], NULL))
			continue;
		compiled++;
		for (unsigned j = 0; j < 12; j++) {
			random_text(subject_pieces, COUNT(subject_pieces), 8, subject,
				    sizeof(subject));
			compare(&machine, &limits, expression, subject, ours, theirs, &matches);
		}
		pattern_machine_free(&machine);
	}
	assert_true(compiled > 15000);
	assert_true(matches > 30000);
	pattern_limits_free(&limits);
	pcre2_match_data_free(ours);
	pcre2_match_data_free(theirs);
}

/* ---- what an expression asks for ---------------------------------------------------------- */

static void show(const struct pattern_literal *literal, char *out)
{
	for (size_t i = 0; i < literal->size; i++)
		*out++ = (char)(literal->bytes[i] == '\0' ? '.' : literal->bytes[i]);
	*out = '\0';
}

static void literals_of_expressions(void **state)
{
	static const struct {
		const char *expression, *end, *anywhere;
	} cases[] = {
		{ "^(.*)@mail\\.example\\.com$", "@mail.example.com", "@mail.example.com" },
		{ "^(.*)+.*@mail.example.com$", "@mail.example.com", "@mail.example.com" },
		{ "(.*)(.*)@example\\.com", "", "@example.com" },
		{ "^[a-y]*[a-x]*q7@", "", "q7@" },
		{ "Sales.*@Example\\.com$", "@example.com", "@example.com" },
		{ "^longer-word.*@a\\.b$", "@a.b", "longer-word" },
		{ "a|b@c$", "", "" },
		{ "a\\x41@c$", "", "" },
		{ "(a|b)cd?e$", "e", "c" },
		{ "(?i)^ab(?:c)d$", "d", "ab" },
		{ "[[:alpha:]]b[]x]c$", ".b.c", ".b.c" },
		{ "ab{2}c{1,}", "", "a" },
		{ "(*UTF)ab$", "", "" },
	};
	char end[64], anywhere[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pattern_literal literals[2];

		pattern_literals(bytes_of(cases[i].expression), 0, &literals[0], &literals[1]);
		show(&literals[0], end);
		show(&literals[1], anywhere);
		if (strcmp(end, cases[i].end) != 0 || strcmp(anywhere, cases[i].anywhere) != 0)
			fail_msg("%s: `%s`, `%s`", cases[i].expression, end, anywhere);
	}
}

/* ---- work --------------------------------------------------------------------------------- */

static enum pattern_lookup run(const char *expression, struct bytes subject,
			       struct pattern_budget *budget)
{
	pcre2_match_data *data = pcre2_match_data_create(100, NULL);
	struct pattern_machine machine;
	struct pattern_limits limits;
	enum pattern_lookup outcome;

	assert_true(pattern_limits_init(&limits));
	assert_true(pattern_machine_init(&machine, bytes_of(expression),
					 TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL, NULL));
	outcome = pattern_machine_run(&machine, &limits, subject, data, budget);
	pattern_machine_free(&machine);
	pattern_limits_free(&limits);
	pcre2_match_data_free(data);
	return outcome;
}

static void a_budget_is_used_up_by_costly_ones_alone(void **state)
{
	struct pattern_budget budget = { .left = PATTERN_BUDGET_STEPS };
	char subject[121];
	unsigned count = 0;

	(void)state;
	memset(subject, 'a', 120);
	subject[120] = '@';
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(run("^b*@$", bytes_make(subject, 121), &budget), PATTERN_ABSENT);
	assert_int_equal(budget.left, PATTERN_BUDGET_STEPS);
	/* Their text isn't in it. */
	assert_int_equal(run("^(.*)+.*@x.test$", bytes_make(subject, 121), &budget),
			 PATTERN_ABSENT);
	assert_int_equal(run("^[a-y]*[a-x]*q7@", bytes_make(subject, 121), &budget),
			 PATTERN_ABSENT);
	assert_int_equal(budget.left, PATTERN_BUDGET_STEPS);
	/* Some 7,000 steps each, and then no more. */
	while (run("^[a-y]*[a-x]*[q7]@", bytes_make(subject, 121), &budget) == PATTERN_ABSENT)
		count++;
	assert_true(count > 5 && count < 50);
	assert_int_equal(run("^[a-y]*[a-x]*[q7]@", bytes_make(subject, 121), &budget),
			 PATTERN_GAVE_UP);
	/* Cheap ones go on. */
	assert_int_equal(run("^a", bytes_make(subject, 121), &budget), PATTERN_FOUND);
}

static void a_deep_match_is_no_costly_one(void **state)
{
	struct pattern_budget budget = { .left = PATTERN_BUDGET_STEPS };
	char subject[500];

	(void)state;
	memset(subject, 'a', sizeof(subject));
	assert_int_equal(run("^(a|b)*$", bytes_make(subject, sizeof(subject)), &budget),
			 PATTERN_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_are_those_of_pcre2),
		cmocka_unit_test(literals_of_expressions),
		cmocka_unit_test(a_budget_is_used_up_by_costly_ones_alone),
		cmocka_unit_test(a_deep_match_is_no_costly_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
