/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "make_table.h"

static const struct made_row rows[] = {
	{ "alias.test", MADE_ALIAS_DOMAIN },
	{ "box.test", MADE_MAILBOX_DOMAIN },
	{ "sales@alias.test", "bob@dest.test" },
	{ "team@alias.test", "bob@dest.test,carol@dest.test" },
	{ "all@alias.test", "sales@alias.test,Dora@dest.test,q x@dest.test" },
	{ "self@box.test", "self@box.test,bob@dest.test" },
	{ "list@alias.test", "self@box.test" },
	{ "mailbox@box.test", "mailbox@box.test" },
	{ "tobox@alias.test", "mailbox@box.test" },
	{ "team3@alias.test", "carol@dest.test,dora@dest.test,emilia-maria@dest.test" },
	{ "gone@alias.test", MADE_DISCARD },
	{ "later@alias.test", MADE_REPLY "450 4.2.1 Come again" },
	{ "left@alias.test", MADE_REPLY "550 5.1.6 Ann has left" },
	{ "utf8@alias.test", "j\xc3\xbcrgen@dest.test" },
	{ "ann@origin.test", "ann@dest.test" },
	{ "postmaster@origin.test", "postmaster@origin.test,pm@dest.test" },
	{ NULL, NULL },
};

struct fixture {
	struct snapshot_store store;
	struct settings *settings;
	struct transaction transaction;
	struct mta mta;
	struct message_facts facts;
	char edits[4096];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct error err;

	assert_non_null(fixture);
	fixture->settings = settings_new();
	assert_non_null(fixture->settings);
	snapshot_store_init(&fixture->store);
	snapshot_publish(&fixture->store,
			 snapshot_new(make_table(rows, 7), fixture->settings, &err));
	mta_init(&fixture->mta, "Postfix 3.7.11", true);
	fixture->facts.mta = &fixture->mta;
	transaction_init(&fixture->transaction, &fixture->store);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	transaction_free(&fixture->transaction);
	snapshot_store_clear(&fixture->store);
	settings_free(fixture->settings);
	free(fixture);
	return 0;
}

/* Settings are changed before a message; the policy is made anew. */
static void publish_settings(struct fixture *fixture)
{
	struct error err;

	snapshot_publish(&fixture->store,
			 snapshot_new(make_table(rows, 8), fixture->settings, &err));
}

static void begin(struct fixture *fixture)
{
	assert_true(transaction_begin(&fixture->transaction, &fixture->facts));
}

/* What is said to `<path> PARAMETER PARAMETER`: "250", or the reply. */
static const char *say_rcpt(struct fixture *fixture, const char *command)
{
	static char answer[2048];
	static char copy[8192];
	char *words[8] = { NULL };
	char *rest = copy;
	size_t count = 0;
	struct decision decision;

	(void)snprintf(copy, sizeof(copy), "%s", command);
	while (count < 7 && (words[count] = strsep(&rest, "\t")) != NULL)
		count++;
	transaction_recipient(&fixture->transaction, words[0], words + 1, &decision);
	if (decision.judgement.action != POLICY_REFUSE)
		return "250";
	(void)snprintf(answer, sizeof(answer), "%s %s " BYTES_FORMAT, decision.reply.code,
		       decision.reply.enhanced, BYTES_ARGS(decision.reply.text));
	return answer;
}

static void accept_rcpt(struct fixture *fixture, const char *command)
{
	assert_string_equal(say_rcpt(fixture, command), "250");
}

/* The edits as text: `+<a> parameters;-<b>;` */
static const char *finish(struct fixture *fixture)
{
	const struct edit *edits = NULL;
	size_t count = 0;

	fixture->edits[0] = '\0';
	switch (transaction_finish(&fixture->transaction, &edits, &count)) {
	case TRANSACTION_UNCHANGED:
		return "unchanged";
	case TRANSACTION_DISCARDED:
		return "discarded";
	case TRANSACTION_DEFERRED:
		return "deferred";
	case TRANSACTION_EDITED:
		break;
	}
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(fixture->edits);

		(void)snprintf(fixture->edits + size, sizeof(fixture->edits) - size, "%s%s%s%s;",
			       edits[i].kind == EDIT_ADD ? "+" : "-", edits[i].address,
			       edits[i].parameters != NULL ? " " : "",
			       edits[i].parameters != NULL ? edits[i].parameters : "");
	}
	return fixture->edits;
}

static void expect_message(struct fixture *fixture, const char *const *commands,
			   const char *expected)
{
	begin(fixture);
	for (; *commands != NULL; commands++)
		accept_rcpt(fixture, *commands);
	assert_string_equal(finish(fixture), expected);
	transaction_end(&fixture->transaction);
}

#define MESSAGE(fixture, expected, ...)                                                            \
	expect_message(fixture, (const char *const[]){ __VA_ARGS__, NULL }, expected)

/* ---- edits ---------------------------------------------------------------------------- */

static void an_alias_is_replaced(void **state)
{
	MESSAGE(*state, "+<bob@dest.test> ORCPT=rfc822;sales@alias.test;-<sales@alias.test>;",
		"<sales@alias.test>");
}

static void nothing_happens_to_others(void **state)
{
	MESSAGE(*state, "unchanged", "<x@foreign.test>", "<mailbox@box.test>");
}

static void adds_come_before_deletes_and_quoting_is_anew(void **state)
{
	MESSAGE(*state,
		"+<bob@dest.test> ORCPT=rfc822;all@alias.test;"
		"+<Dora@dest.test> ORCPT=rfc822;all@alias.test;"
		"+<\"q x\"@dest.test> ORCPT=rfc822;all@alias.test;-<all@alias.test>;",
		"<all@alias.test>");
}

static void the_text_of_the_client_deletes_less_its_route(void **state)
{
	MESSAGE(*state,
		"+<bob@dest.test> ORCPT=rfc822;@r.test:SALES@Alias.test;-<SALES@Alias.test>;",
		"<@r.test:SALES@Alias.test>");
	MESSAGE(*state,
		"+<bob@dest.test> ORCPT=rfc822;\"sales\"@alias.test;-<\"sales\"@alias.test>;",
		"<\"sales\"@alias.test>");
	MESSAGE(*state, "+<bob@dest.test> ORCPT=rfc822;sales@alias.test;-<sales@alias.test>;",
		"sales@alias.test");
}

static void each_original_is_deleted_once(void **state)
{
	MESSAGE(*state,
		"+<bob@dest.test> ORCPT=rfc822;sales@alias.test;"
		"-<sales@alias.test>;-<Sales@alias.test>;",
		"<sales@alias.test>", "<sales@alias.test>", "<Sales@alias.test>");
}

static void targets_are_merged_and_the_first_orcpt_stays(void **state)
{
	MESSAGE(*state,
		"+<bob@dest.test> ORCPT=rfc822;one;+<carol@dest.test> ORCPT=rfc822;two;"
		"-<sales@alias.test>;-<team@alias.test>;",
		"<sales@alias.test>\tORCPT=rfc822;one", "<team@alias.test>\tORCPT=rfc822;two");
}

static void unmerged_each_original_keeps_its_own(void **state)
{
	struct fixture *fixture = *state;

	fixture->settings->merge_duplicates = false;
	publish_settings(fixture);
	MESSAGE(fixture,
		"+<bob@dest.test> ORCPT=rfc822;one;+<bob@dest.test> ORCPT=rfc822;two;"
		"+<carol@dest.test> ORCPT=rfc822;two;-<sales@alias.test>;-<team@alias.test>;",
		"<sales@alias.test>\tORCPT=rfc822;one", "<team@alias.test>\tORCPT=rfc822;two");
	/* The same again is the same recipient. */
	MESSAGE(fixture, "+<bob@dest.test> ORCPT=rfc822;one;-<sales@alias.test>;",
		"<sales@alias.test>\tORCPT=rfc822;one", "<sales@alias.test>\tORCPT=rfc822;one");
	/* Given directly, before and after, it has a copy of its own. */
	MESSAGE(fixture, "+<bob@dest.test> ORCPT=rfc822;one;-<sales@alias.test>;",
		"<bob@dest.test>", "<sales@alias.test>\tORCPT=rfc822;one");
	MESSAGE(fixture, "+<bob@dest.test> ORCPT=rfc822;one;-<sales@alias.test>;",
		"<sales@alias.test>\tORCPT=rfc822;one", "<bob@dest.test>");
	MESSAGE(fixture,
		"+<bob@dest.test> ORCPT=rfc822;self@box.test;+<self@box.test> ORCPT=rfc822;list;"
		"+<bob@dest.test> ORCPT=rfc822;list;-<list@alias.test>;",
		"<self@box.test>", "<list@alias.test>\tORCPT=rfc822;list");
}

static void a_target_that_was_given_stays_as_it_is(void **state)
{
	MESSAGE(*state, "-<sales@alias.test>;", "<BOB@Dest.test>", "<sales@alias.test>");
	MESSAGE(*state, "-<sales@alias.test>;", "<sales@alias.test>", "<bob@dest.test>");
	MESSAGE(*state, "-<tobox@alias.test>;", "<tobox@alias.test>", "<Mailbox@box.test>");
}

static void an_alias_of_itself_stays_and_is_not_added(void **state)
{
	MESSAGE(*state, "+<bob@dest.test> ORCPT=rfc822;Self@box.test;", "<Self@box.test>");
	/* Also where another alias brings it in first. */
	MESSAGE(*state, "+<bob@dest.test> ORCPT=rfc822;list@alias.test;-<list@alias.test>;",
		"<list@alias.test>", "<self@box.test>");
}

static void an_unqualified_original_is_in_the_origin(void **state)
{
	MESSAGE(*state, "+<ann@dest.test> ORCPT=rfc822;ann;-<ann>;", "<ann>");
}

static void postmaster_may_stay_beside_its_targets(void **state)
{
	MESSAGE(*state, "+<pm@dest.test> ORCPT=rfc822;postmaster;", "<postmaster>");
}

static void many_of_both_are_deleted_first(void **state)
{
	static struct made_row many[1103];
	static char text[1103][64];
	static char list[1000 * 32];
	struct fixture *fixture = *state;
	const struct edit *edits = NULL;
	struct error err;
	size_t count = 0;

	for (int i = 0; i < 1000; i++)
		(void)sprintf(list + strlen(list), "%su%d@dest.test", i == 0 ? "" : ",", i);
	for (int i = 0; i < 1100; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "a%d@alias.test", i);
		many[i] = (struct made_row){ text[i], list };
	}
	many[1100] = (struct made_row){ "alias.test", MADE_ALIAS_DOMAIN };
	snapshot_publish(&fixture->store,
			 snapshot_new(make_table(many, 9), fixture->settings, &err));
	begin(fixture);
	for (int i = 0; i < 1000; i++)
		accept_rcpt(fixture, text[i]);
	assert_int_equal(transaction_finish(&fixture->transaction, &edits, &count),
			 TRANSACTION_EDITED);
	assert_int_equal(count, 2000);
	assert_int_equal(edits[0].kind, EDIT_ADD);
	begin(fixture);
	for (int i = 0; i < 1100; i++)
		accept_rcpt(fixture, text[i]);
	assert_int_equal(transaction_finish(&fixture->transaction, &edits, &count),
			 TRANSACTION_EDITED);
	assert_int_equal(count, 2100);
	assert_int_equal(edits[0].kind, EDIT_DELETE);
	assert_int_equal(edits[1099].kind, EDIT_DELETE);
	assert_int_equal(edits[1100].kind, EDIT_ADD);
}

/* ---- DSN ------------------------------------------------------------------------------ */

static void success_goes_on_to_a_single_target_only(void **state)
{
	struct fixture *fixture = *state;

	MESSAGE(fixture,
		"+<bob@dest.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;sales@alias.test;"
		"-<sales@alias.test>;",
		"<sales@alias.test>\tNOTIFY=success,failure");
	MESSAGE(fixture,
		"+<bob@dest.test> NOTIFY=NEVER ORCPT=rfc822;t;+<carol@dest.test> NOTIFY=NEVER "
		"ORCPT=rfc822;t;-<team@alias.test>;",
		"<team@alias.test>\tNOTIFY=SUCCESS\tORCPT=rfc822;t");
	fixture->settings->dsn_success = SETTINGS_DSN_NATIVE;
	publish_settings(fixture);
	MESSAGE(fixture,
		"+<bob@dest.test> NOTIFY=FAILURE "
		"ORCPT=rfc822;sales@alias.test;-<sales@alias.test>;",
		"<sales@alias.test>\tNOTIFY=SUCCESS,FAILURE");
}

static void an_mta_without_parameters_gets_none(void **state)
{
	struct fixture *fixture = *state;

	mta_init(&fixture->mta, "Postfix 2.5.0", false);
	MESSAGE(fixture, "+<bob@dest.test>;-<sales@alias.test>;",
		"<sales@alias.test>\tNOTIFY=NEVER");
	/* Sendmail for sure only after a client that gave some. */
	mta_init(&fixture->mta, "8.17.1.9", true);
	MESSAGE(fixture, "+<bob@dest.test>;-<sales@alias.test>;",
		"<sales@alias.test>\tORCPT=rfc822;bad+");
}

/* ---- refusals ------------------------------------------------------------------------- */

static void unknown_users_are_refused_as_written(void **state)
{
	begin(*state);
	assert_string_equal(say_rcpt(*state, "<No.Body@Alias.test>"),
			    "550 5.1.1 <No.Body@Alias.test>: Recipient address rejected: "
			    "User unknown in virtual alias table");
	assert_string_equal(say_rcpt(*state, "<\"no body\"@alias.test>"),
			    "550 5.1.1 <no body@alias.test>: Recipient address rejected: "
			    "User unknown in virtual alias table");
	assert_string_equal(say_rcpt(*state, "<left@alias.test>"),
			    "550 5.1.6 <left@alias.test>: Recipient address rejected: "
			    "Ann has left");
	assert_string_equal(say_rcpt(*state, "<x%alias.test@origin.test>"),
			    "550 5.1.3 <x%alias.test@origin.test>: Recipient address rejected: "
			    "Sender-specified routing is not allowed");
	assert_string_equal(say_rcpt(*state, "<>"), "550 5.1.3 <>: Recipient address rejected: "
						    "Bad recipient address syntax");
	assert_string_equal(say_rcpt(*state, "<a b@alias.test>"),
			    "550 5.1.3 <a b@alias.test>: Recipient address rejected: "
			    "Bad recipient address syntax");
	assert_string_equal(say_rcpt(*state, "<@r.test:\"no body\"@alias.test>"),
			    "550 5.1.1 <no body@alias.test>: Recipient address rejected: "
			    "User unknown in virtual alias table");
	assert_string_equal(finish(*state), "unchanged");
}

static void sendmail_names_the_recipient_itself(void **state)
{
	struct fixture *fixture = *state;

	mta_init(&fixture->mta, "8.17.1.9", true);
	begin(fixture);
	assert_string_equal(say_rcpt(fixture, "<nobody@alias.test>"),
			    "550 5.1.1 Recipient address rejected: "
			    "User unknown in virtual alias table");
}

static void non_ascii_targets_are_sent_as_they_are(void **state)
{
	MESSAGE(*state,
		"+<j\xc3\xbcrgen@dest.test> ORCPT=rfc822;utf8@alias.test;-<utf8@alias.test>;",
		"<utf8@alias.test>");
}

/* Sendmail takes them, says 250 and loses some. */
static void sendmail_gets_none_without_smtputf8(void **state)
{
	struct fixture *fixture = *state;

	mta_init(&fixture->mta, "8.17.1.9", true);
	begin(fixture);
	assert_memory_equal(say_rcpt(fixture, "<utf8@alias.test>"), "550 5.6.7 ", 10);
}

static void with_smtputf8_strict_they_need_it(void **state)
{
	struct fixture *fixture = *state;

	fixture->settings->smtputf8 = SETTINGS_SMTPUTF8_STRICT;
	publish_settings(fixture);
	begin(fixture);
	assert_memory_equal(say_rcpt(fixture, "<utf8@alias.test>"), "550 5.6.7 ", 10);
	fixture->facts.has_smtputf8 = true;
	MESSAGE(fixture,
		"+<j\xc3\xbcrgen@dest.test> ORCPT=rfc822;utf8@alias.test;-<utf8@alias.test>;",
		"<utf8@alias.test>");
}

static void too_many_recipients_are_put_off_without_a_trace(void **state)
{
	struct fixture *fixture = *state;

	fixture->settings->limit_message_recipients = 2;
	publish_settings(fixture);
	begin(fixture);
	accept_rcpt(fixture, "<x@foreign.test>");
	assert_string_equal(say_rcpt(fixture, "<team@alias.test>"),
			    "452 4.5.3 <team@alias.test>: Too many recipients");
	accept_rcpt(fixture, "<sales@alias.test>");
	/* What is there already costs nothing. */
	accept_rcpt(fixture, "<bob@dest.test>");
	accept_rcpt(fixture, "<Sales@alias.test>");
	assert_memory_equal(say_rcpt(fixture, "<y@foreign.test>"), "452 4.5.3 ", 10);
	assert_string_equal(finish(fixture), "-<sales@alias.test>;-<Sales@alias.test>;");
}

static void without_memory_a_recipient_is_put_off_without_a_trace(void **state)
{
	struct fixture *fixture = *state;
	bool was_refused = false;

	for (size_t room = 0; room < 4096; room += 16) {
		begin(fixture);
		accept_rcpt(fixture, "<x@foreign.test>");
		fixture->transaction.arena.limit_bytes =
			fixture->transaction.arena.used_bytes + room;
		if (strcmp(say_rcpt(fixture, "<team@alias.test>"), "250") != 0) {
			was_refused = true;
			fixture->transaction.arena.limit_bytes = 1 << 20;
			assert_string_equal(finish(fixture), "unchanged");
		} else {
			/* What was accepted has room to the end. */
			assert_string_equal(finish(fixture),
					    "+<bob@dest.test> ORCPT=rfc822;team@alias.test;"
					    "+<carol@dest.test> ORCPT=rfc822;team@alias.test;"
					    "-<team@alias.test>;");
		}
	}
	assert_true(was_refused);
}

/* ---- messages that are special --------------------------------------------------------- */

static void a_submission_is_never_refused(void **state)
{
	struct fixture *fixture = *state;

	fixture->facts.is_submission = true;
	MESSAGE(fixture, "+<bob@dest.test> ORCPT=rfc822;sales@alias.test;-<sales@alias.test>;",
		"sales@alias.test", "nobody@alias.test", "left@alias.test", "ann@origin.test",
		"x@foreign.test");
}

/* RECIPIENT puts the message off, for REASON, whatever comes before and behind. */
static void expect_put_off(struct fixture *fixture, const char *recipient, enum reason reason)
{
	char *none[] = { NULL };
	struct decision decision;

	fixture->facts.is_submission = true;
	begin(fixture);
	accept_rcpt(fixture, "sales@alias.test");
	transaction_recipient(&fixture->transaction, recipient, none, &decision);
	assert_int_equal(decision.judgement.action, POLICY_PUT_OFF);
	assert_int_equal(decision.judgement.reason, reason);
	assert_int_equal(decision.reply.code[0], '4');
	accept_rcpt(fixture, "x@foreign.test");
	assert_string_equal(finish(fixture), "deferred");
	transaction_end(&fixture->transaction);
	/* The next message is another one. */
	MESSAGE(fixture, "unchanged", "x@foreign.test");
}

static void a_limit_puts_a_submission_off(void **state)
{
	struct fixture *fixture = *state;

	fixture->settings->limit_message_recipients = 2;
	publish_settings(fixture);
	expect_put_off(fixture, "team3@alias.test", REASON_LIMIT);
	fixture->settings->limit_message_recipients = 10000;
	fixture->settings->limits.expansion = 2;
	publish_settings(fixture);
	expect_put_off(fixture, "team3@alias.test", REASON_LIMIT);
	fixture->settings->limits.expansion = 1000;
	fixture->settings->limits.address_bytes = 16;
	publish_settings(fixture);
	expect_put_off(fixture, "team3@alias.test", REASON_LIMIT);
}

static void a_recipient_too_many_that_stays_puts_a_submission_off(void **state)
{
	struct fixture *fixture = *state;
	char *none[] = { NULL };
	struct decision decision;

	fixture->facts.is_submission = true;
	fixture->settings->limit_message_recipients = 1;
	publish_settings(fixture);
	begin(fixture);
	accept_rcpt(fixture, "sales@alias.test");
	transaction_recipient(&fixture->transaction, "nobody@alias.test", none, &decision);
	assert_int_equal(decision.judgement.action, POLICY_PUT_OFF);
	assert_string_equal(finish(fixture), "deferred");
}

static void an_entry_that_says_later_puts_a_submission_off(void **state)
{
	expect_put_off(*state, "later@alias.test", REASON_NONE);
}

static void a_target_that_cannot_be_told_puts_a_submission_off(void **state)
{
	struct fixture *fixture = *state;

	fixture->mta.longest_path = 12;
	fixture->facts.is_submission = true;
	begin(fixture);
	assert_string_equal(say_rcpt(fixture, "team@alias.test"), "250");
	assert_string_equal(finish(fixture), "deferred");
}

static void no_memory_puts_a_submission_off(void **state)
{
	struct fixture *fixture = *state;
	bool was_put_off = false;

	fixture->facts.is_submission = true;
	for (size_t room = 0; room < 4096; room += 16) {
		begin(fixture);
		accept_rcpt(fixture, "x@foreign.test");
		fixture->transaction.arena.limit_bytes =
			fixture->transaction.arena.used_bytes + room;
		accept_rcpt(fixture, "team@alias.test");
		if (strcmp(finish(fixture), "deferred") == 0)
			was_put_off = true;
		else
			assert_memory_equal(fixture->edits, "+<bob@dest.test>", 16);
	}
	assert_true(was_put_off);
}

static void a_message_that_comes_back_never_keeps_its_recipient(void **state)
{
	struct fixture *fixture = *state;

	fixture->facts.is_reinjected = true;
	MESSAGE(fixture, "+<bob@dest.test> ORCPT=rfc822;self@box.test;-<self@box.test>;",
		"<self@box.test>");
	begin(fixture);
	assert_memory_equal(say_rcpt(fixture, "<mailbox@box.test>"), "451 4.6.0 ", 10);
	assert_memory_equal(say_rcpt(fixture, "<nobody@alias.test>"), "550 5.1.1 ", 10);
	accept_rcpt(fixture, "<x@foreign.test>");
}

static void discarded_recipients_are_taken_out(void **state)
{
	MESSAGE(*state, "-<gone@alias.test>;", "<gone@alias.test>", "<x@foreign.test>");
	MESSAGE(*state, "discarded", "<gone@alias.test>", "<GONE@alias.test>");
}

static void an_envelope_is_never_left_empty(void **state)
{
	struct fixture *fixture = *state;

	/* Nothing leads there; were it so all the same, the message is put off. */
	begin(fixture);
	accept_rcpt(fixture, "<gone@alias.test>");
	fixture->transaction.has_replaced = true;
	assert_string_equal(finish(fixture), "deferred");
}

static void one_message_has_one_table(void **state)
{
	static const struct made_row other[] = {
		{ "alias.test", MADE_ALIAS_DOMAIN },
		{ "sales@alias.test", "new@dest.test" },
		{ NULL, NULL },
	};
	struct fixture *fixture = *state;
	struct error err;

	begin(fixture);
	snapshot_publish(&fixture->store,
			 snapshot_new(make_table(other, 8), fixture->settings, &err));
	accept_rcpt(fixture, "<team@alias.test>");
	assert_memory_equal(finish(fixture), "+<bob@dest.test>", 16);
	begin(fixture);
	assert_memory_equal(say_rcpt(fixture, "<team@alias.test>"), "550 5.1.1", 9);
	accept_rcpt(fixture, "<sales@alias.test>");
	assert_memory_equal(finish(fixture), "+<new@dest.test>", 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(an_alias_is_replaced),
		TEST(nothing_happens_to_others),
		TEST(adds_come_before_deletes_and_quoting_is_anew),
		TEST(the_text_of_the_client_deletes_less_its_route),
		TEST(each_original_is_deleted_once),
		TEST(targets_are_merged_and_the_first_orcpt_stays),
		TEST(unmerged_each_original_keeps_its_own),
		TEST(a_target_that_was_given_stays_as_it_is),
		TEST(an_alias_of_itself_stays_and_is_not_added),
		TEST(an_unqualified_original_is_in_the_origin),
		TEST(postmaster_may_stay_beside_its_targets),
		TEST(many_of_both_are_deleted_first),
		TEST(success_goes_on_to_a_single_target_only),
		TEST(an_mta_without_parameters_gets_none),
		TEST(unknown_users_are_refused_as_written),
		TEST(sendmail_names_the_recipient_itself),
		TEST(non_ascii_targets_are_sent_as_they_are),
		TEST(sendmail_gets_none_without_smtputf8),
		TEST(with_smtputf8_strict_they_need_it),
		TEST(too_many_recipients_are_put_off_without_a_trace),
		TEST(without_memory_a_recipient_is_put_off_without_a_trace),
		TEST(a_submission_is_never_refused),
		TEST(a_limit_puts_a_submission_off),
		TEST(a_recipient_too_many_that_stays_puts_a_submission_off),
		TEST(an_entry_that_says_later_puts_a_submission_off),
		TEST(a_target_that_cannot_be_told_puts_a_submission_off),
		TEST(no_memory_puts_a_submission_off),
		TEST(a_message_that_comes_back_never_keeps_its_recipient),
		TEST(discarded_recipients_are_taken_out),
		TEST(an_envelope_is_never_left_empty),
		TEST(one_message_has_one_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
