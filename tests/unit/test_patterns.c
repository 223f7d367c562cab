/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/patterns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table_image.h"

enum { ARENA_BYTES = 1 << 20 };

/* ---- tables of rules ---------------------------------------------------------------------- */

struct ruled {
	struct image image;
	struct table *table;
	struct arena arena;
};

/* Rules are numbered from 1, their global lines; IS_FILED: under the domain that they end in. */
static void ruled_make(struct ruled *ruled, const struct table_pattern *patterns, size_t count,
		       bool is_filed)
{
	struct build build = { .seed = 1 };

	arena_init(&ruled->arena, ARENA_BYTES);
	build_begin(&build);
	for (size_t i = 0; i < count; i++) {
		struct table_pattern pattern = patterns[i];

		pattern.global_line = (uint32_t)i + 1;
		if (is_filed)
			assert_true(table_pattern_domain(&pattern, &ruled->arena, &pattern.domain));
		assert_true(writer_pattern(build.writer, &pattern));
	}
	ruled->image = build_end(&build);
	ruled->table = image_open(&ruled->image);
}

static void ruled_free(struct ruled *ruled)
{
	table_close(ruled->table);
	image_free(&ruled->image);
	arena_free(&ruled->arena);
}

/* What SUBJECT leads to: a right-hand side, a reply, `absent`, `broken`, `unsafe`. */
static const char *match_before(struct ruled *ruled, const char *subject, uint32_t before_line)
{
	const char *at = strrchr(subject, '@');
	struct bytes key = bytes_of(at != NULL ? at + 1 : "");
	struct table_entry entry;
	struct bytes value;
	uint32_t line;

	switch (table_match(ruled->table, bytes_of(subject), key, before_line, &ruled->arena,
			    &entry)) {
	case PATTERN_ABSENT:
		return "absent";
	case PATTERN_NO_MEMORY:
		return "no memory";
	case PATTERN_BROKEN:
		return "broken";
	case PATTERN_GAVE_UP:
		assert_int_equal(table_provenance_line(ruled->table, &entry, &line), LOOKUP_FOUND);
		return "gave up";
	case PATTERN_UNSAFE:
		return "unsafe";
	case PATTERN_FOUND:
		break;
	}
	assert_true(arena_copy(
		&ruled->arena,
		entry.kind == TABLE_ENTRY_TARGETS ? entry.pattern_value : entry.reply, &value));
	return value.data;
}

static const char *match(struct ruled *ruled, const char *subject)
{
	return match_before(ruled, subject, UINT32_MAX);
}

/* Versions of clang-format differ about braces in a macro. */
/* clang-format off */
#define TEXT(text) { text, sizeof(text) - 1 }
#define RULE(expression_text, value_text) \
	{ .expression = TEXT(expression_text), .value = TEXT(value_text) }
/* clang-format on */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- order -------------------------------------------------------------------------------- */

static void the_first_that_matches_counts(void **state)
{
	static const struct table_pattern patterns[] = {
		RULE("^special@a\\.test$", "one@x.test"), RULE("^s.*@", "two@x.test"),
		RULE("@a\\.test$", "three@x.test"),       RULE("@b\\.test$", "four@x.test"),
		RULE("^late@b\\.test$", "five@x.test"),   RULE("c\\.test$", "six@x.test"),
	};
	struct ruled ruled;

	(void)state;
	for (int is_filed = 0; is_filed < 2; is_filed++) {
		ruled_make(&ruled, patterns, COUNT(patterns), is_filed != 0);
		assert_string_equal(match(&ruled, "special@a.test"), "one@x.test");
		assert_string_equal(match(&ruled, "some@a.test"), "two@x.test");
		assert_string_equal(match(&ruled, "other@a.test"), "three@x.test");
		assert_string_equal(match(&ruled, "special@b.test"), "two@x.test");
		assert_string_equal(match(&ruled, "late@b.test"), "four@x.test");
		assert_string_equal(match(&ruled, "any@abc.test"), "six@x.test");
		assert_string_equal(match(&ruled, "any@d.test"), "absent");
		/* Rules behind that of a key come too late. */
		assert_string_equal(match_before(&ruled, "other@a.test", 4), "three@x.test");
		assert_string_equal(match_before(&ruled, "other@a.test", 3), "absent");
		ruled_free(&ruled);
	}
}

static void blocks_and_negation(void **state)
{
	struct table_pattern patterns[] = {
		RULE("^list-", ""),
		RULE("-owner@", "owner@x.test"),
		RULE("@a\\.test$", "list@x.test"),
		{ .kind = TABLE_PATTERN_ENDIF },
		RULE("@[ab]\\.test$", "550 5.1.1 Not here"),
		RULE("^x", "rest@x.test"),
	};
	struct ruled ruled;

	(void)state;
	patterns[0].kind = TABLE_PATTERN_IF;
	patterns[4].flags = TABLE_PATTERN_NEGATED;
	patterns[4].result = TABLE_ENTRY_REPLY;
	patterns[5].exception = bytes_of("^xy");
	for (int is_filed = 0; is_filed < 2; is_filed++) {
		ruled_make(&ruled, patterns, COUNT(patterns), is_filed != 0);
		assert_string_equal(match(&ruled, "list-a-owner@a.test"), "owner@x.test");
		assert_string_equal(match(&ruled, "list-a@a.test"), "list@x.test");
		assert_string_equal(match(&ruled, "a-owner@a.test"), "absent");
		assert_string_equal(match(&ruled, "list-a@b.test"), "absent");
		assert_string_equal(match(&ruled, "a@c.test"), "550 5.1.1 Not here");
		assert_string_equal(match(&ruled, "xa@a.test"), "rest@x.test");
		assert_string_equal(match(&ruled, "xya@a.test"), "absent");
		ruled_free(&ruled);
	}
}

/* ---- substitution ------------------------------------------------------------------------- */

static void groups_are_put_in(void **state)
{
	static const struct table_pattern patterns[] = {
		RULE("^(.*)-(.*)@a\\.test$", "$2@x.test, ${1}1@x.test, $(2)@$$.test"),
		RULE("^(a)?b@b\\.test$", "x${1}y@x.test"),
		RULE("^c(.*)@c\\.test$", "none$2@x.test"),
	};
	struct ruled ruled;

	(void)state;
	ruled_make(&ruled, patterns, COUNT(patterns), true);
	assert_string_equal(match(&ruled, "u-v@a.test"), "v@x.test, u1@x.test, v@$.test");
	assert_string_equal(match(&ruled, "ab@b.test"), "xay@x.test");
	assert_string_equal(match(&ruled, "b@b.test"), "xy@x.test");
	/* A group that the expression doesn't have is empty, whatever an earlier match left. */
	assert_string_equal(match(&ruled, "u-v@a.test"), "v@x.test, u1@x.test, v@$.test");
	assert_string_equal(match(&ruled, "c@c.test"), "none@x.test");
	ruled_free(&ruled);
}

static void what_would_change_the_list_is_unsafe(void **state)
{
	static const struct table_pattern patterns[] = {
		RULE("^(.*)@a\\.test$", "$1@x.test"),
		RULE("^(.*)@b\\.test$", "fixed@x.test"),
	};
	static const char bad[] = " \t,;:<>()[]\"\\\001\177";
	struct ruled ruled;

	(void)state;
	ruled_make(&ruled, patterns, COUNT(patterns), true);
	for (size_t i = 0; bad[i] != '\0'; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "u%cv@a.test", bad[i]);
		assert_string_equal(match(&ruled, subject), "unsafe");
		(void)snprintf(subject, sizeof(subject), "u%cv@b.test", bad[i]);
		assert_string_equal(match(&ruled, subject), "fixed@x.test");
	}
	assert_string_equal(match(&ruled, "o'neil+x=y@a.test"), "o'neil+x=y@x.test");
	assert_string_equal(match(&ruled, "m\303\274ller@a.test"), "m\303\274ller@x.test");
	ruled_free(&ruled);
}

/* ---- trouble ------------------------------------------------------------------------------ */

static void a_pattern_that_takes_too_long_gives_up(void **state)
{
	static const struct table_pattern patterns[] = {
		RULE("^(a+)+$", "x@x.test"),
		RULE("@a\\.test$", "y@x.test"),
	};
	char subject[200];
	struct ruled ruled;

	(void)state;
	memset(subject, 'a', 100);
	strcpy(subject + 100, "@a.test");
	ruled_make(&ruled, patterns, COUNT(patterns), true);
	assert_string_equal(match(&ruled, subject), "gave up");
	assert_string_equal(match(&ruled, "@a.test"), "y@x.test");
	ruled_free(&ruled);
}

/* As Postfix does it: a dot is a byte. */
static void expressions_are_about_bytes(void **state)
{
	static const struct table_pattern patterns[] = {
		RULE("^.@a\\.test$", "one@x.test"),
		RULE("^..@a\\.test$", "two@x.test"),
	};
	struct ruled ruled;

	(void)state;
	ruled_make(&ruled, patterns, COUNT(patterns), true);
	assert_string_equal(match(&ruled, "\377@a.test"), "one@x.test");
	assert_string_equal(match(&ruled, "\303\274@a.test"), "two@x.test");
	ruled_free(&ruled);
}

static void bad_expressions_are_refused(void **state)
{
	static const char *const bad[] = {
		"(", "[", "a{2,1}", "*", "\\C", "(?P<a>.)(?P<a>.)", "\\"
	};
	struct error err;
	uint32_t groups;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct table_pattern pattern = { .expression = bytes_of(bad[i]) };

		if (table_pattern_check(&pattern, &groups, &err))
			fail_msg("%s", bad[i]);
		assert_int_equal(err.status, EX_DATAERR);
	}
	assert_true(
		table_pattern_check(&(struct table_pattern)RULE("(a)(b(c))", ""), &groups, &err));
	assert_int_equal(groups, 3);
}

/* ---- domains that rules are filed under --------------------------------------------------- */

static void the_domain_of_an_expression(void **state)
{
	static const struct {
		const char *expression, *domain;
	} cases[] = {
		{ "^a@b\\.test$", "b.test" },
		{ "@b\\.test$", "b.test" },
		{ "^(.*)-x@B\\.Test$", "b.test" },
		{ "^[a-z]+@x-1\\.b\\.test$", "x-1.b.test" },
		{ "^(a|b)@b\\.test$", "b.test" },
		{ "^a@b.test$", "" }, /* the dot is any byte */
		{ "^a@b\\.test", "" },
		{ "b\\.test$", "" },
		{ "^a|b@b\\.test$", "" },
		{ "^(a|b@b\\.test)$", "" },
		{ "^a@(b|c)\\.test$", "" },
		{ "^a@?b\\.test$", "" },
		{ "^[^@b\\.test$", "" },
		{ "^a\\@b\\.test$", "" },
		{ "^\\Qa@b\\.test$", "" },
		{ "(?i)a@b\\.test$", "" },
		{ "^a@$", "" },
		{ "$", "" },
		{ "", "" },
	};
	struct arena arena;

	(void)state;
	arena_init(&arena, ARENA_BYTES);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct table_pattern pattern = {
			.expression = bytes_of(cases[i].expression),
		};
		struct bytes domain;

		assert_true(table_pattern_domain(&pattern, &arena, &domain));
		if (!bytes_equal(domain, bytes_of(cases[i].domain)))
			fail_msg("%s: " BYTES_FORMAT, cases[i].expression, BYTES_ARGS(domain));
	}
	arena_free(&arena);
}

static uint64_t random_state = 7;

static unsigned draw(size_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(random_state >> 33) % (unsigned)below;
}

/* An expression of random parts, most of which can be compiled. */
static void make_expression(char *text, size_t room)
{
	static const char *const parts[] = { "^",    "a",     "b",    ".",    "\\.",  ".*",  "(",
					     ")",    "|",     "[ab]", "[^@]", "?",    "+",   "\\@",
					     "@",    "(?:",   "\\Q",  "\\E",  "x{1}", "\\b", "[@]",
					     "\\\\", "(?=a)", "()",   "-",    "$" };
	static const char *const ends[] = { "@a\\.test$",  "@a\\.test$",   "@a\\.test$",
					    "@a\\.test)$", "@a\\.test|b$", "@A\\.test$",
					    "a\\.test$",   "@b\\.test$" };

	text[0] = '\0';
	for (unsigned i = draw(6); i > 0; i--)
		(void)strncat(text, parts[draw(COUNT(parts))], room - strlen(text) - 1);
	(void)strncat(text, ends[draw(COUNT(ends))], room - strlen(text) - 1);
}

/* Filing rules under their domain must change no answer. */
static void filing_changes_nothing(void **state)
{
	static const char *const subjects[] = { "a@a.test",   "b@a.test",      "a@b.test",
						"ab@xa.test", "a@A.test",      "a.b@test",
						"x@c.test",   "a-b@a.a.test",  "@a.test",
						"b",          "ba.test@c.test" };
	struct arena arena;
	unsigned filed_ones = 0;

	(void)state;
	arena_init(&arena, ARENA_BYTES);
	for (unsigned tries = 0; tries < 4000 / try_every(); tries++) {
		char text[128];
		struct table_pattern pattern = { .value = bytes_of("x@x.test"),
						 .flags = draw(2) * TABLE_PATTERN_CASELESS };
		struct ruled filed, open;
		struct bytes domain;
		uint32_t groups;

		make_expression(text, sizeof(text));
		pattern.expression = bytes_of(text);
		if (!table_pattern_check(&pattern, &groups, NULL) ||
		    !table_pattern_domain(&pattern, &arena, &domain) || domain.size == 0)
			continue;
		filed_ones++;
		arena_clear(&arena);
		ruled_make(&filed, &pattern, 1, true);
		ruled_make(&open, &pattern, 1, false);
		for (size_t i = 0; i < COUNT(subjects); i++) {
			char key[32];

			(void)snprintf(key, sizeof(key), "%s", subjects[i]);
			/* The key of `A.test` is `a.test`, as in a look-up. */
			if (strcmp(subjects[i], "a@A.test") == 0)
				continue;
			if (strcmp(match(&filed, key), match(&open, key)) != 0)
				fail_msg("/%s/ of %s: %s filed, %s else", text, key,
					 match(&filed, key), match(&open, key));
		}
		ruled_free(&filed);
		ruled_free(&open);
	}
	assert_true(filed_ones > 1000 / try_every());
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_matches_counts),
		cmocka_unit_test(blocks_and_negation),
		cmocka_unit_test(groups_are_put_in),
		cmocka_unit_test(what_would_change_the_list_is_unsafe),
		cmocka_unit_test(a_pattern_that_takes_too_long_gives_up),
		cmocka_unit_test(expressions_are_about_bytes),
		cmocka_unit_test(bad_expressions_are_refused),
		cmocka_unit_test(the_domain_of_an_expression),
		cmocka_unit_test(filing_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
