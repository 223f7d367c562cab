/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/key_batch.h"

#include "ask_table.h"
#include "show/print.h"

static struct asked asked;
static struct arena arena;

static const char *const rows[] = {
	"ann@a.test x@far.test",
	"ann+list@ext.test y@far.test",
	"@all.test z@far.test",
	"user u@far.test",
	"host.test alias",
	"mail.test mailbox",
	"q x@a.test quoted@far.test",
	"m\303\274ller@a.test umlaut@far.test",
	NULL,
};

static int begin(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	asked_make(&asked, rows);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_free(&arena);
	asked_free(&asked);
	return 0;
}

/* What QUESTION found: a value, a declaration, `absent` or `broken`. */
static void expect_found(const struct question *question, const char *expected)
{
	struct buffer text;

	buffer_init(&text, 1000);
	if (question->found == LOOKUP_ABSENT)
		buffer_append_text(&text, "absent");
	else if (question->found == LOOKUP_BROKEN)
		buffer_append_text(&text, "broken");
	else if (question->declaration != NULL)
		buffer_append_text(&text, question->declaration);
	else
		assert_int_equal(print_value(asked.table, &question->entry, &text), LOOKUP_FOUND);
	if (!bytes_equal(buffer_bytes(&text), bytes_of(expected)))
		fail_msg(BYTES_FORMAT ": " BYTES_FORMAT " and not %s", BYTES_ARGS(question->text),
			 BYTES_ARGS(buffer_bytes(&text)), expected);
	buffer_free(&text);
}

static const char *const cases[][2] = {
	{ "ann@a.test", "x@far.test" },
	{ "Ann@A.TEST", "x@far.test" },
	{ "\"ann\"@a.test", "x@far.test" },
	{ "\"q x\"@a.test", "quoted@far.test" },
	{ "M\303\234ller@a.test", "umlaut@far.test" },
	{ "@all.test", "z@far.test" },
	{ "user", "u@far.test" },
	{ "host.test", "alias-domain" },
	{ "HOST.test", "alias-domain" },
	{ "mail.test", "mailbox-domain" },
	/* Nothing is tried beside the key itself. */
	{ "ann+x@a.test", "absent" },
	{ "ann@ext.test", "absent" },
	{ "anybody@all.test", "absent" },
	{ "user@origin.test", "absent" },
	{ "@a.test", "absent" },
	{ "nobody@a.test", "absent" },
	{ "ann@nowhere.test", "absent" },
	/* Of a domain that has keys and isn't declared nothing is said. */
	{ "a.test", "absent" },
	/* What no key can be. */
	{ "", "absent" },
	{ "@", "absent" },
	{ "ann@", "absent" },
	{ "a b@a.test", "absent" },
	{ "\"", "absent" },
	{ "ann@a..test", "absent" },
	{ "ann\377@a.test", "absent" },
	{ "\377", "absent" },
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void each_key_is_found_as_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		struct question question = { .text = bytes_of(cases[i][0]) };

		key_batch_answer(asked.table, &question, 1, &arena);
		expect_found(&question, cases[i][1]);
	}
}

/* Whatever else is in the batch, and whatever was answered before in the same place. */
static void a_batch_is_one_after_the_other(void **state)
{
	struct question questions[KEY_BATCH_MAX];

	(void)state;
	memset(questions, 0xa5, sizeof(questions));
	for (size_t first = 0; first < CASES; first++) {
		for (size_t i = 0; i < KEY_BATCH_MAX; i++)
			questions[i].text = bytes_of(cases[(first + i) % CASES][0]);
		key_batch_answer(asked.table, questions, KEY_BATCH_MAX, &arena);
		for (size_t i = 0; i < KEY_BATCH_MAX; i++)
			expect_found(&questions[i], cases[(first + i) % CASES][1]);
		arena_clear(&arena);
	}
	key_batch_answer(asked.table, questions, 0, &arena);
}

static void a_key_that_is_too_long_is_none(void **state)
{
	static char text[100000];
	struct question question = { .text = bytes_make(text, sizeof(text)) };

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 7, "@a.test", 7);
	key_batch_answer(asked.table, &question, 1, &arena);
	expect_found(&question, "absent");
}

/* ---- patterns ----------------------------------------------------------------------------- */

/* A source of patterns, then one of keys. */
static void make_with_patterns(void)
{
	const struct table_pattern pattern = { .expression = bytes_of("^(a.*|)@a\\.test$"),
					       .value = bytes_of("$1@pattern.test"),
					       .global_line = 2 };

	asked_free(&asked);
	asked = (struct asked){ .arena_bytes = 0 };
	asked_begin(&asked);
	assert_true(writer_pattern(asked.build.writer, &pattern));
	assert_true(writer_source(asked.build.writer, 100, bytes_of("later")));
	asked_add(&asked, "ann@a.test first@far.test");
	asked.build.line = 200;
	asked_add(&asked, "abe@a.test late@far.test");
	asked_end(&asked);
}

/* In a place in which another one was answered. */
static void ask_with_patterns(const char *key, const char *expected)
{
	struct question question = { .text = bytes_of("anna@a.test") };

	make_with_patterns();
	key_batch_answer(asked.table, &question, 1, &arena);
	question.text = bytes_of(key);
	key_batch_answer(asked.table, &question, 1, &arena);
	if (question.found == LOOKUP_FOUND && question.entry.pattern_value.size > 0)
		assert_true(bytes_equal(question.entry.pattern_value, bytes_of(expected)));
	else
		expect_found(&question, expected);
}

static void patterns_are_asked_for_addresses(void **state)
{
	(void)state;
	ask_with_patterns("anna@a.test", "anna@pattern.test");
	ask_with_patterns("bob@a.test", "absent");
	ask_with_patterns("@a.test", "absent");
	ask_with_patterns("user", "absent");
	ask_with_patterns("\"", "absent");
}

static void sources_keep_their_order(void **state)
{
	(void)state;
	/* In the source of the pattern, and so before it. */
	ask_with_patterns("ann@a.test", "first@far.test");
	ask_with_patterns("abe@a.test", "abe@pattern.test");
}

/* ---- what the cache is told --------------------------------------------------------------- */

static void prefetching_takes_any_text(void **state)
{
	struct bytes texts[CASES * 2];
	static const char *const more[] = { "<ann@a.test>", "<>", "<", "ann+list@a.test",
					    "ann+list@ext.test" };

	(void)state;
	for (size_t i = 0; i < CASES * 2; i++)
		texts[i] = bytes_of(i < CASES ? cases[i][0]
					      : more[i % (sizeof(more) / sizeof(more[0]))]);
	key_batch_prefetch(asked.table, texts, 0);
	/* More than a batch: the rest is left out. */
	key_batch_prefetch(asked.table, texts, CASES * 2);
	for (size_t i = 0; i < CASES * 2; i++)
		key_batch_prefetch(asked.table, &texts[i], 1);
	for (size_t i = 0; i < CASES * 2; i++)
		texts[i] = bytes_of("ann@a.test");
	key_batch_prefetch(asked.table, texts, CASES * 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_key_is_found_as_it_is),     TEST(a_batch_is_one_after_the_other),
		TEST(a_key_that_is_too_long_is_none), TEST(patterns_are_asked_for_addresses),
		TEST(sources_keep_their_order),       TEST(prefetching_takes_any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
