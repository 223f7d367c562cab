/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sysexits.h>

#include <cmocka.h>

static const struct mta postfix = { .has_early_queue_id = true, .takes_parameters = true };
static const struct message_facts smtp = { .mta = &postfix };
static const struct message_facts submission = { .mta = &postfix, .is_submission = true };
static const struct message_facts reinjected = { .mta = &postfix, .is_reinjected = true };

static enum policy_action decide(const struct message_facts *facts, enum verdict verdict)
{
	struct resolution resolution = { .verdict = verdict };

	return policy_decide(facts, &resolution).action;
}

static void each_verdict_has_its_row(void **state)
{
	(void)state;
	assert_int_equal(decide(&smtp, VERDICT_FOREIGN), POLICY_LEAVE);
	assert_int_equal(decide(&smtp, VERDICT_DELIVER), POLICY_LEAVE);
	assert_int_equal(decide(&smtp, VERDICT_EXPAND), POLICY_REPLACE);
	assert_int_equal(decide(&smtp, VERDICT_DISCARD), POLICY_DROP);
	assert_int_equal(decide(&smtp, VERDICT_REFUSED), POLICY_REFUSE);
	assert_int_equal(decide(&smtp, VERDICT_UNKNOWN), POLICY_REFUSE);
	assert_int_equal(decide(&smtp, VERDICT_DEFER), POLICY_REFUSE);
}

static void submissions_are_never_refused(void **state)
{
	(void)state;
	for (int verdict = 0; verdict < VERDICTS; verdict++)
		assert_int_not_equal(decide(&submission, (enum verdict)verdict), POLICY_REFUSE);
	assert_int_equal(decide(&submission, VERDICT_EXPAND), POLICY_REPLACE);
	assert_int_equal(decide(&submission, VERDICT_UNKNOWN), POLICY_LEAVE);
}

static enum policy_action decide_reply(const char *reply)
{
	struct resolution resolution = { .verdict = VERDICT_REFUSED, .reply = bytes_of(reply) };

	return policy_decide(&submission, &resolution).action;
}

static void a_doubt_puts_off_a_submission(void **state)
{
	struct resolution bad = { .verdict = VERDICT_REFUSED, .reason = REASON_BAD_ADDRESS };
	struct resolution local = { .verdict = VERDICT_DEFER, .is_local = true };

	(void)state;
	assert_int_equal(decide(&submission, VERDICT_DEFER), POLICY_PUT_OFF);
	assert_int_equal(policy_decide(&submission, &bad).action, POLICY_LEAVE);
	/* What is left to the MTA in any case has no doubts. */
	assert_int_equal(policy_decide(&submission, &local).action, POLICY_LEAVE);
	assert_int_equal(decide_reply("550 5.1.6 Ann has left"), POLICY_LEAVE);
	assert_int_equal(decide_reply("450 4.2.1 Come again"), POLICY_PUT_OFF);
	/* Damage. */
	assert_int_equal(decide_reply(""), POLICY_PUT_OFF);
	assert_int_equal(decide_reply("250 2.0.0 Fine"), POLICY_PUT_OFF);
}

static void what_contradicts_itself_puts_off_a_submission(void **state)
{
	struct resolution resolution = { .verdict = VERDICT_FOREIGN, .is_in_alias_domain = true };
	struct judgement judgement = policy_decide(&submission, &resolution);

	(void)state;
	assert_int_equal(judgement.action, POLICY_PUT_OFF);
	assert_int_equal(judgement.reason, REASON_BROKEN);
	resolution.is_exempt = true;
	assert_int_equal(policy_decide(&submission, &resolution).action, POLICY_LEAVE);
}

static void local_recipients_of_a_submission_are_the_mtas(void **state)
{
	struct resolution local = { .verdict = VERDICT_EXPAND, .is_local = true };

	(void)state;
	assert_int_equal(policy_decide(&submission, &local).action, POLICY_LEAVE);
	assert_int_equal(policy_decide(&smtp, &local).action, POLICY_REPLACE);
}

static void expect_doubt(const struct message_facts *facts, struct resolution resolution,
			 enum reason reason)
{
	struct judgement judgement = policy_decide(facts, &resolution);

	assert_int_equal(judgement.action, POLICY_REFUSE);
	assert_int_equal(judgement.verdict, VERDICT_DEFER);
	assert_int_equal(judgement.reason, reason);
}

static void what_was_found_is_handed_on(void **state)
{
	const struct resolution over = {
		.verdict = VERDICT_DEFER,
		.reason = REASON_LIMIT,
		.detail = { .limit = LIMIT_RECURSION, .found = 3, .allowed = 2 },
	};
	const struct resolution left = {
		.verdict = VERDICT_REFUSED,
		.reply = bytes_of("550 5.1.6 Ann has left"),
	};
	struct judgement judgement = policy_decide(&smtp, &over);

	(void)state;
	assert_int_equal(judgement.action, POLICY_REFUSE);
	assert_int_equal(judgement.reason, REASON_LIMIT);
	assert_int_equal(judgement.detail.limit, LIMIT_RECURSION);
	assert_int_equal(judgement.detail.found, 3);
	assert_int_equal(judgement.detail.allowed, 2);
	judgement = policy_decide(&smtp, &left);
	assert_int_equal(judgement.reason, REASON_NONE);
	assert_string_equal(judgement.reply.data, "550 5.1.6 Ann has left");
}

static void nothing_stays_in_an_alias_domain(void **state)
{
	struct resolution stays = { .verdict = VERDICT_DELIVER,
				    .is_ours = true,
				    .is_in_alias_domain = true };

	(void)state;
	expect_doubt(&smtp, stays, REASON_BROKEN);
	/* A table that contradicts itself: the domain is declared, and has no keys to ask for. */
	stays.verdict = VERDICT_FOREIGN;
	expect_doubt(&smtp, stays, REASON_BROKEN);
	stays.is_exempt = true;
	assert_int_equal(policy_decide(&smtp, &stays).action, POLICY_LEAVE);
	/* A lenient table answers as Postfix; what contradicts itself is a doubt there, too. */
	stays = (struct resolution){ .verdict = VERDICT_DELIVER,
				     .is_ours = true,
				     .is_in_alias_domain = true,
				     .keeps_dead_ends = true };
	assert_int_equal(policy_decide(&smtp, &stays).action, POLICY_LEAVE);
	stays.verdict = VERDICT_FOREIGN;
	expect_doubt(&smtp, stays, REASON_BROKEN);
}

static void what_comes_back_does_not_stay(void **state)
{
	struct resolution mailbox = { .verdict = VERDICT_DELIVER, .is_ours = true };

	(void)state;
	assert_int_equal(policy_decide(&smtp, &mailbox).action, POLICY_LEAVE);
	expect_doubt(&reinjected, mailbox, REASON_LOOP);
	mailbox.is_ours = false;
	mailbox.verdict = VERDICT_FOREIGN;
	assert_int_equal(policy_decide(&reinjected, &mailbox).action, POLICY_LEAVE);
}

/* Mail to it that Postfix can't deliver: nobody asks back, and it must not wait for days. */
static void double_bounce_ends_when_it_comes_back(void **state)
{
	struct resolution exempt = { .verdict = VERDICT_FOREIGN,
				     .is_ours = true,
				     .is_in_alias_domain = true,
				     .is_exempt = true };

	(void)state;
	assert_int_equal(policy_decide(&smtp, &exempt).action, POLICY_LEAVE);
	assert_int_equal(policy_decide(&reinjected, &exempt).action, POLICY_REFUSE);
	assert_int_equal(policy_decide(&reinjected, &exempt).verdict, VERDICT_UNKNOWN);
}

static void make_reply(const struct policy *policy, enum verdict verdict, const char *expected)
{
	const struct judgement judgement = { .verdict = verdict };
	struct arena arena;
	struct buffer text;
	struct reply reply;

	arena_init(&arena, 1 << 16);
	buffer_init(&text, 1 << 16);
	policy_reply(policy, &smtp, &judgement, bytes_of("ann@alias.test"), &arena, &reply);
	assert_true(reply_print(&reply, &text));
	assert_string_equal(text.data, expected);
	buffer_free(&text);
	arena_free(&arena);
}

static void settings_choose_the_words(void **state)
{
	struct settings *settings = settings_new();
	struct policy policy;
	struct error err;

	(void)state;
	assert_non_null(settings);
	free(settings->unknown_reply);
	free(settings->unknown_text);
	settings->unknown_reply = strdup("450 4.1.1");
	settings->unknown_text = strdup("Nobody here");
	assert_true(policy_init(&policy, settings, &err));
	settings_free(settings);
	make_reply(&policy, VERDICT_UNKNOWN,
		   "450 4.1.1 <ann@alias.test>: Recipient address rejected: Nobody here");
	/* A reply that nobody should ask for is a doubt. */
	make_reply(&policy, VERDICT_EXPAND, "451 4.3.0 <ann@alias.test>: Temporary lookup failure");
}

static void codes_that_are_none_are_refused(void **state)
{
	struct settings *settings = settings_new();
	struct policy policy;
	struct error err;

	(void)state;
	assert_non_null(settings);
	free(settings->unknown_reply);
	settings->unknown_reply = strdup("250 2.0.0");
	assert_non_null(settings->unknown_reply);
	assert_false(policy_init(&policy, settings, &err));
	assert_int_equal(err.status, EX_CONFIG);
	settings_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verdict_has_its_row),
		cmocka_unit_test(submissions_are_never_refused),
		cmocka_unit_test(a_doubt_puts_off_a_submission),
		cmocka_unit_test(what_contradicts_itself_puts_off_a_submission),
		cmocka_unit_test(local_recipients_of_a_submission_are_the_mtas),
		cmocka_unit_test(nothing_stays_in_an_alias_domain),
		cmocka_unit_test(what_was_found_is_handed_on),
		cmocka_unit_test(what_comes_back_does_not_stay),
		cmocka_unit_test(double_bounce_ends_when_it_comes_back),
		cmocka_unit_test(settings_choose_the_words),
		cmocka_unit_test(codes_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
