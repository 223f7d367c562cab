/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

static const struct answer_texts texts = {
	.unknown_code = "550",
	.unknown_enhanced = "5.1.1",
	.unknown_text = "User unknown in virtual alias table",
};

/* What the client is told about ann@example.org; "" where it is told nothing. */
static void expect_with(const struct answer_texts *with, const struct resolution *resolution,
			size_t memory_bytes, const char *expected)
{
	struct arena arena;
	struct buffer line;
	struct reply reply;

	arena_init(&arena, memory_bytes);
	buffer_init(&line, 4096);
	if (answer_make(resolution, with, bytes_of("ann@example.org"), &arena, &reply))
		assert_true(reply_print(&reply, &line));
	else
		assert_true(buffer_append_text(&line, ""));
	assert_string_equal(line.data, expected);
	buffer_free(&line);
	arena_free(&arena);
}

static void expect(enum verdict verdict, enum reason reason, const char *entry_reply,
		   const char *expected)
{
	struct resolution resolution = { .verdict = verdict, .reason = reason };

	resolution.reply = bytes_of(entry_reply);
	expect_with(&texts, &resolution, 1 << 16, expected);
}

static void accepted_recipients_get_no_reply(void **state)
{
	(void)state;
	expect(VERDICT_FOREIGN, REASON_NONE, "", "");
	expect(VERDICT_DELIVER, REASON_NONE, "", "");
	expect(VERDICT_EXPAND, REASON_NONE, "", "");
	expect(VERDICT_DISCARD, REASON_NONE, "", "");
}

static void unknown_users_get_the_words_of_postfix(void **state)
{
	(void)state;
	expect(VERDICT_UNKNOWN, REASON_NONE, "",
	       "550 5.1.1 <ann@example.org>: Recipient address rejected: "
	       "User unknown in virtual alias table");
}

static void unknown_follows_the_settings(void **state)
{
	struct answer_texts own = {
		.unknown_code = "450",
		.unknown_enhanced = "4.1.1",
		.unknown_text = "Not here",
		.omits_address = true,
	};
	struct resolution resolution = { .verdict = VERDICT_UNKNOWN };

	(void)state;
	expect_with(&own, &resolution, 1 << 16, "450 4.1.1 Recipient address rejected: Not here");
}

static void settings_become_texts(void **state)
{
	struct answer_texts own;
	struct error err;
	char text[REPLY_TEXT_MAX + 2];

	(void)state;
	assert_true(answer_texts_init(&own, "450 4.1.1", "Not here", &err));
	assert_string_equal(own.unknown_code, "450");
	assert_string_equal(own.unknown_enhanced, "4.1.1");
	assert_string_equal(own.unknown_text, "Not here");
	assert_false(own.omits_address);
	memset(text, 'x', sizeof(text));
	text[REPLY_TEXT_MAX + 1] = '\0';
	assert_false(answer_texts_init(&own, "450 4.1.1", text, &err));
	assert_int_equal(err.status, EX_CONFIG);
	assert_true(answer_texts_init(&own, "450 4.1.1", text + 1, &err));
	assert_false(answer_texts_init(&own, "250 2.0.0", "Not here", &err));
	assert_int_equal(err.status, EX_CONFIG);
	assert_non_null(strstr(err.text, "unknown.reply: "));
}

static void every_reason_to_defer_is_a_451(void **state)
{
	static const char temporary[] = "451 4.3.0 <ann@example.org>: Temporary lookup failure";
	static const char expansion[] = "451 4.6.0 <ann@example.org>: Alias expansion error";

	(void)state;
	expect(VERDICT_DEFER, REASON_LOOP, "", expansion);
	expect(VERDICT_DEFER, REASON_TEMPLATE, "", expansion);
	expect(VERDICT_DEFER, REASON_LIMIT, "", expansion);
	expect(VERDICT_DEFER, REASON_DEAD_END, "", expansion);
	expect(VERDICT_DEFER, REASON_BROKEN, "", temporary);
	expect(VERDICT_DEFER, REASON_MEMORY, "", temporary);
	expect(VERDICT_DEFER, REASON_NONE, "", temporary);
	/* These reasons refuse; together with "defer" they must not. */
	expect(VERDICT_DEFER, REASON_BAD_ADDRESS, "", temporary);
	expect(VERDICT_DEFER, REASON_ROUTING, "", temporary);
}

static void addresses_nobody_can_have_are_refused(void **state)
{
	(void)state;
	expect(VERDICT_REFUSED, REASON_BAD_ADDRESS, "",
	       "550 5.1.3 <ann@example.org>: Recipient address rejected: "
	       "Bad recipient address syntax");
	expect(VERDICT_REFUSED, REASON_ROUTING, "",
	       "550 5.1.3 <ann@example.org>: Recipient address rejected: "
	       "Sender-specified routing is not allowed");
	expect(VERDICT_REFUSED, REASON_NEEDS_SMTPUTF8, "",
	       "550 5.6.7 <ann@example.org>: Recipient address rejected: "
	       "Non-ASCII addresses not permitted for that recipient without SMTPUTF8");
}

static void an_entry_says_its_own_reply(void **state)
{
	(void)state;
	expect(VERDICT_REFUSED, REASON_NONE, "550 5.2.1 Mailbox disabled",
	       "550 5.2.1 <ann@example.org>: Recipient address rejected: Mailbox disabled");
	expect(VERDICT_REFUSED, REASON_NONE, "450 4.2.1 Moving house",
	       "450 4.2.1 <ann@example.org>: Recipient address rejected: Moving house");
	expect(VERDICT_REFUSED, REASON_NONE, "550 5.2.1",
	       "550 5.2.1 <ann@example.org>: Recipient address rejected");
}

static void a_damaged_reply_defers(void **state)
{
	(void)state;
	expect(VERDICT_REFUSED, REASON_NONE, "",
	       "451 4.3.0 <ann@example.org>: Temporary lookup failure");
	expect(VERDICT_REFUSED, REASON_NONE, "250 2.0.0 fine",
	       "451 4.3.0 <ann@example.org>: Temporary lookup failure");
	expect(VERDICT_REFUSED, REASON_NONE, "550 4.2.1 mixed",
	       "451 4.3.0 <ann@example.org>: Temporary lookup failure");
}

static void no_memory_defers(void **state)
{
	struct resolution resolution = { .verdict = VERDICT_UNKNOWN };

	(void)state;
	expect_with(&texts, &resolution, 8, "451 4.3.0 Temporary lookup failure");
	resolution.verdict = VERDICT_REFUSED;
	resolution.reply = bytes_of("550 5.2.1 Mailbox disabled");
	expect_with(&texts, &resolution, 8, "451 4.3.0 Temporary lookup failure");
}

/* What a reply about the client's TEXT names; PATH begins as resolve() has it. */
static void expect_address(const char *text, const char *expected)
{
	struct address_path path = { .text = bytes_of(text) };
	struct arena arena;
	struct bytes shown;

	arena_init(&arena, 1 << 16);
	(void)address_parse_path(bytes_of(text), &arena, &path); /* nonsense is a case, too */
	shown = answer_address(&path, bytes_of(text), &arena);
	assert_int_equal(shown.size, strlen(expected));
	assert_memory_equal(shown.data, expected, shown.size);
	arena_free(&arena);
}

static void a_reply_names_the_internal_form(void **state)
{
	(void)state;
	expect_address("<Ann@Example.ORG>", "Ann@Example.ORG");
	expect_address("ann@example.org", "ann@example.org");
	expect_address("<\"q x\"@example.org>", "q x@example.org");
	expect_address("<@r.test:ann@example.org>", "ann@example.org");
	expect_address("<ann@example.org.>", "ann@example.org");
	expect_address("<postmaster>", "postmaster");
}

static void a_reply_names_what_was_sent_where_that_says_more(void **state)
{
	(void)state;
	expect_address("<example.org!ann>", "example.org!ann");
	expect_address("<ann%example.org>", "ann%example.org");
	expect_address("<a b@example.org>", "a b@example.org");
	expect_address("<ann@>", "ann@");
	expect_address("ann@", "ann@");
	expect_address("<>", "");
	expect_address("<@example.org>", "@example.org");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_recipients_get_no_reply),
		cmocka_unit_test(unknown_users_get_the_words_of_postfix),
		cmocka_unit_test(unknown_follows_the_settings),
		cmocka_unit_test(settings_become_texts),
		cmocka_unit_test(every_reason_to_defer_is_a_451),
		cmocka_unit_test(addresses_nobody_can_have_are_refused),
		cmocka_unit_test(an_entry_says_its_own_reply),
		cmocka_unit_test(a_damaged_reply_defers),
		cmocka_unit_test(no_memory_defers),
		cmocka_unit_test(a_reply_names_the_internal_form),
		cmocka_unit_test(a_reply_names_what_was_sent_where_that_says_more),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
