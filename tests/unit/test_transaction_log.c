/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "make_table.h"
#include "message/trace.h"
#include "service/log.h"

static const struct made_row rows[] = {
	{ "alias.test", MADE_ALIAS_DOMAIN },
	{ "catch.test", MADE_ALIAS_DOMAIN },
	{ "sales@alias.test", "bob@dest.test,q x@dest.test" },
	{ "gone@alias.test", MADE_DISCARD },
	{ "@catch.test", "all@dest.test" },
	{ "a> orig_to=<b@box.test", "a> orig_to=<b@box.test,bob@dest.test" },
	{ NULL, NULL },
};

struct fixture {
	struct snapshot_store store;
	struct settings *settings;
	struct transaction transaction;
	struct mta mta;
	struct message_facts facts;
	FILE *log;
	int old_stderr;
	char text[16384];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct error err;

	assert_non_null(fixture);
	fixture->settings = settings_new();
	assert_non_null(fixture->settings);
	fixture->settings->log_refusals = true;
	snapshot_store_init(&fixture->store);
	snapshot_publish(&fixture->store,
			 snapshot_new(make_table(rows, 7), fixture->settings, &err));
	mta_init(&fixture->mta, "Postfix 3.7.11", true);
	fixture->facts.mta = &fixture->mta;
	transaction_init(&fixture->transaction, &fixture->store);
	assert_true(transaction_begin(&fixture->transaction, &fixture->facts));
	fixture->log = tmpfile();
	fixture->old_stderr = dup(STDERR_FILENO);
	assert_true(fixture->log != NULL && fixture->old_stderr >= 0);
	assert_true(dup2(fileno(fixture->log), STDERR_FILENO) >= 0);
	log_open(LOG_SINK_STDERR, "test");
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	assert_true(dup2(fixture->old_stderr, STDERR_FILENO) >= 0);
	assert_int_equal(close(fixture->old_stderr), 0);
	assert_int_equal(fclose(fixture->log), 0);
	transaction_free(&fixture->transaction);
	snapshot_store_clear(&fixture->store);
	settings_free(fixture->settings);
	free(fixture);
	return 0;
}

static enum policy_action give(struct fixture *fixture, const char *recipient)
{
	char *none[] = { NULL };
	struct decision decision;

	transaction_recipient(&fixture->transaction, recipient, none, &decision);
	if (decision.judgement.action == POLICY_REFUSE)
		transaction_log_refusal(&fixture->transaction, &decision);
	return decision.judgement.action;
}

/* All that was logged so far. */
static const char *logged(struct fixture *fixture)
{
	ssize_t size = pread(fileno(fixture->log), fixture->text, sizeof(fixture->text) - 1, 0);

	assert_true(size >= 0);
	fixture->text[size] = '\0';
	return fixture->text;
}

static void assert_logged(struct fixture *fixture, const char *words)
{
	if (strstr(logged(fixture), words) == NULL)
		fail_msg("no \"%s\" in: %s", words, fixture->text);
}

static void assert_not_logged(struct fixture *fixture, const char *words)
{
	if (strstr(logged(fixture), words) != NULL)
		fail_msg("\"%s\" in: %s", words, fixture->text);
}

#define UNKNOWN ": Recipient address rejected: User unknown in virtual alias table\n"

static void refuse(struct fixture *fixture, const char *recipient)
{
	assert_int_equal(give(fixture, recipient), POLICY_REFUSE);
}

/* ---- refusals ------------------------------------------------------------------------- */

static void a_refusal_has_the_address_as_it_was_sent(void **state)
{
	refuse(*state, "<No.Body@Alias.test>");
	assert_logged(*state, "]: NOQUEUE: refused: 550 5.1.1 <No.Body@Alias.test>" UNKNOWN);
	/* As the client was told, whatever the log needs memory for. */
	refuse(*state, "<\"no body\"@alias.test>");
	assert_logged(*state, "refused: 550 5.1.1 <\\\"no body\\\"@alias.test>" UNKNOWN);
}

static void the_reply_is_whole_behind_the_log(void **state)
{
	struct fixture *fixture = *state;
	char *none[] = { NULL };
	struct decision decision;

	transaction_recipient(&fixture->transaction, "<\"no > body\"@alias.test>", none, &decision);
	transaction_log_refusal(&fixture->transaction, &decision);
	assert_true(bytes_equal(decision.reply.text,
				bytes_of("<no > body@alias.test>: Recipient address rejected: "
					 "User unknown in virtual alias table")));
}

static void a_quoted_local_part_stays_in_its_quotes(void **state)
{
	refuse(*state, "<\"x>: ok, table=9 to=<y\"@alias.test>");
	assert_logged(*state,
		      "550 5.1.1 <\\\"x>: ok, table=9 to=<y\\\"@alias.test>: Recipient address");
	assert_not_logged(*state, "to=<y@alias.test>");
}

static void comments_and_routes_are_not_logged(void **state)
{
	refuse(*state, "<(>: ok, to=<y@alias.test>)nobody@alias.test>");
	assert_logged(*state, "550 5.1.1 <nobody@alias.test>" UNKNOWN);
	assert_not_logged(*state, "to=<y");
}

static void what_is_no_address_has_no_bracket_inside(void **state)
{
	refuse(*state, "<a b>, to=<c@alias.test>");
	assert_logged(*state, "550 5.1.3 <a b?, to=?c@alias.test>: Recipient address rejected: ");
}

static void only_printable_ascii_is_logged(void **state)
{
	struct fixture *fixture = *state;

	refuse(fixture, "<a\xe2\x80\xa8@alias.test>");
	refuse(fixture, "<b\xe2\x80\x8e\xd8\x9c@alias.test>");
	refuse(fixture, "<\"c\x1b[31m\x07\"@alias.test>");
	refuse(fixture, "<d\xff\xfe@alias.test>");
	assert_logged(fixture, "<a\\xe2\\x80\\xa8@alias.test>: ");
	assert_logged(fixture, "<b\\xe2\\x80\\x8e\\xd8\\x9c@alias.test>: ");
	assert_logged(fixture, "\\x1b[31m\\x07");
	for (const char *at = logged(fixture); *at != '\0'; at++)
		assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
}

static void a_long_address_is_cut_and_the_rest_isnt(void **state)
{
	char recipient[2048];
	char wanted[512];

	(void)snprintf(recipient, sizeof(recipient), "<%0*d@alias.test>", 1000, 0);
	(void)snprintf(wanted, sizeof(wanted), "<%0*d...(+755)>: Recipient address rejected: ", 256,
		       0);
	refuse(*state, recipient);
	assert_logged(*state, wanted);
}

static void sendmail_is_told_without_the_address_and_the_log_has_it(void **state)
{
	struct fixture *fixture = *state;

	mta_init(&fixture->mta, "8.17.1.9", true);
	refuse(fixture, "<nobody@alias.test>");
	assert_logged(fixture, "550 5.1.1 <nobody@alias.test>" UNKNOWN);
}

/* ---- a message that is put off ----------------------------------------------------------- */

static void who_puts_a_message_off_is_named(void **state)
{
	struct fixture *fixture = *state;
	char *none[] = { NULL };
	struct decision decision;
	char recipient[64];

	fixture->settings->limit_message_recipients = 1;
	fixture->facts.is_submission = true;
	snapshot_publish(&fixture->store, snapshot_new(make_table(rows, 8), fixture->settings,
						       &(struct error){ 0 }));
	assert_true(transaction_begin(&fixture->transaction, &fixture->facts));
	for (int i = 0; i < 20; i++) {
		(void)snprintf(recipient, sizeof(recipient), "u%d@far.test", i);
		transaction_recipient(&fixture->transaction, recipient, none, &decision);
		if (decision.judgement.action == POLICY_PUT_OFF)
			transaction_log_put_off(&fixture->transaction, &decision, "4WxYz");
	}
	transaction_log_deferral(&fixture->transaction, "4WxYz", "nothing");
	assert_logged(fixture, "]: warning: 4WxYz: deferred: 452 4.5.3 <u1@far.test>: Too many "
			       "recipients, reason=limits.message_recipients: at least 2 "
			       "recipients, 1 allowed\n");
	assert_logged(fixture, "<u16@far.test>");
	assert_not_logged(fixture, "<u17@far.test>");
	assert_logged(fixture, "]: warning: 4WxYz: deferred as a whole: recipients put off: 19\n");
}

/* ---- what was edited ------------------------------------------------------------------- */

static void each_original_has_its_line(void **state)
{
	struct fixture *fixture = *state;

	give(fixture, "<Sales@alias.test>");
	give(fixture, "<gone@alias.test>");
	transaction_log(&fixture->transaction, "4WxYz");
	assert_logged(fixture, "]: 4WxYz: to=<bob@dest.test>,<\\\"q x\\\"@dest.test>, "
			       "orig_to=<Sales@alias.test>");
	assert_logged(fixture, ", table=7\n");
	assert_logged(fixture, "]: 4WxYz: discarded, orig_to=<gone@alias.test>");
}

static void an_original_is_shown_like_any_address(void **state)
{
	struct fixture *fixture = *state;

	give(fixture, "<\"x>, to=<y\"@catch.test>");
	give(fixture, "<(>, to=<y@z.test>)x@catch.test>");
	transaction_log(&fixture->transaction, NULL);
	assert_logged(fixture, "]: NOQUEUE: to=<all@dest.test>, "
			       "orig_to=<\\\"x>, to=<y\\\"@catch.test>, ");
	assert_logged(fixture, "]: NOQUEUE: to=<all@dest.test>, orig_to=<x@catch.test>, ");
}

static void so_is_one_that_stays(void **state)
{
	struct fixture *fixture = *state;

	give(fixture, "<\"a> orig_to=<b\"@box.test>");
	transaction_log(&fixture->transaction, "4WxYz");
	assert_logged(fixture, "<\\\"a> orig_to=<b\\\"@box.test>,<bob@dest.test>, orig_to=");
	assert_not_logged(fixture, "orig_to=<b@");
}

static void a_queue_id_is_not_trusted(void **state)
{
	struct fixture *fixture = *state;
	char id[400];

	give(fixture, "<sales@alias.test>");
	transaction_log(&fixture->transaction, "4\xe2\x80\xa8\"\\\x1b");
	assert_logged(fixture, "]: 4\\xe2\\x80\\xa8\\\"\\\\\\x1b: to=<bob@dest.test>");
	(void)snprintf(id, sizeof(id), "%0*d", 300, 0);
	transaction_log(&fixture->transaction, id);
	assert_logged(fixture, "000...(+44): to=<bob@dest.test>");
}

static void has_place(const char *source, uint32_t line, const char *in_log, const char *elsewhere)
{
	char place[TABLE_PLACE_BYTES];
	struct buffer text;

	buffer_init(&text, 1000);
	trace_place(bytes_of(source), line, &text);
	assert_true(bytes_equal(buffer_bytes(&text), bytes_of(in_log)));
	buffer_free(&text);
	table_place_line(bytes_of(source), line, place);
	assert_string_equal(place, elsewhere);
}

/* Words of a line have no blank in them, and a database's place has. */
static void a_place_is_one_word(void **state)
{
	(void)state;
	has_place("virtual", 12, "virtual:12", ":12");
	has_place("postgresql:main alias", 4711, "postgresql:main:alias:4711", " 4711");
	has_place("postgresql:main alias", 0, "postgresql:main:alias", "");
	has_place("sqlite:a-b.c domain-alias", 999999999, "sqlite:a-b.c:domain-alias:999999999",
		  " 999999999");
	has_place("my file", 3, "my file:3", ":3");
	has_place(": odd", 3, ": odd:3", ":3");
	has_place("a:b", 3, "a:b:3", ":3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_one_word),
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_refusal_has_the_address_as_it_was_sent),
		TEST(the_reply_is_whole_behind_the_log),
		TEST(a_quoted_local_part_stays_in_its_quotes),
		TEST(comments_and_routes_are_not_logged),
		TEST(what_is_no_address_has_no_bracket_inside),
		TEST(only_printable_ascii_is_logged),
		TEST(a_long_address_is_cut_and_the_rest_isnt),
		TEST(sendmail_is_told_without_the_address_and_the_log_has_it),
		TEST(who_puts_a_message_off_is_named),
		TEST(each_original_has_its_line),
		TEST(an_original_is_shown_like_any_address),
		TEST(so_is_one_that_stays),
		TEST(a_queue_id_is_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
