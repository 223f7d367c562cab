/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "compile/compile.h"
#include "message/transaction.h"
#include "explain/explain.h"
#include "service/log.h"

/* One table, asked with limits smaller than those that it was proved with. */
static const char virtual_text[] =
	"alias.test x\n"
	"ann@alias.test ann@far.test\n"
	"four@alias.test a@f.test, b@f.test, c@f.test, d@f.test\n"
	"deep@alias.test deep2@alias.test\n"
	"deep2@alias.test deep3@alias.test\n"
	"deep3@alias.test ann@alias.test\n"
	"long@alias.test a-local-part-of-forty-bytes-and-one-more@far.test\n"
	"gone@alias.test error:4.1.6:450 Later\n"
	"loop@alias.test loop2@alias.test\n"
	"loop2@alias.test loop@alias.test\n"
	"slow@alias.test aaaaaaaaaaaaaaaaaaaaaaaaaaaaa@slow.test\n"
	"local.test x\n"
	"dead@other.test nobody@alias.test\n"
	"odd@alias.test \"j s\"@odd.test\n"
	"half@alias.test ann@far.test, \"j s\"@odd.test\n";
static const char pcre_text[] = "# comment\n\n/^(a|a?)+[bc]@slow\\.test$/ x@far.test\n"
				"/^\"?([^\"]*)\"?@odd\\.test$/ ${1}@far.test\n";

static char folder[] = "/tmp/test_reason.XXXXXX";
static char virtual_path[64], pcre_path[64], table_path[64];
static struct settings *settings;
static struct table *table;

static void put(const char *path, const char *text)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

static int begin(void **state)
{
	struct settings_source sources[] = {
		{ .type = (char *)(uintptr_t) "pcre", .path = pcre_path },
		{ .type = (char *)(uintptr_t) "virtual", .path = virtual_path },
	};
	struct compile_options options = {
		.sources = sources,
		.source_count = 2,
		.output = table_path,
		.is_sync_skipped = true,
		.is_proof_skipped = true, /* loops and all, and the answers of a strict table */
		.messages = tmpfile(),
	};
	struct error err;

	(void)state;
	if (mkdtemp(folder) == NULL || options.messages == NULL)
		return -1;
	(void)snprintf(virtual_path, sizeof(virtual_path), "%s/virtual", folder);
	(void)snprintf(pcre_path, sizeof(pcre_path), "%s/rules", folder);
	(void)snprintf(table_path, sizeof(table_path), "%s/table", folder);
	put(virtual_path, virtual_text);
	put(pcre_path, pcre_text);
	settings = settings_new();
	if (settings == NULL || compile_run(settings, &options) != EX_OK)
		return -1;
	settings->limits.expansion = 3;
	settings->limits.recursion = 2;
	settings->limits.address_bytes = 40;
	table = table_open(table_path, (uid_t)-1, TABLE_COPIED, &err);
	return fclose(options.messages) == 0 && table != NULL ? 0 : -1;
}

static int end(void **state)
{
	char command[64];

	(void)state;
	table_close(table);
	settings_free(settings);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* ---- what is shown ------------------------------------------------------------------------ */

static const struct {
	const char *address;
	const char *reason; /* NULL: there is none */
} cases[] = {
	{ "ann@alias.test", NULL },
	{ "nobody@alias.test", NULL },
	{ "gone@alias.test", NULL },
	{ "x@foreign.test", NULL },
	{ "four@alias.test", "limits.expansion: at least 4 recipients, 3 allowed" },
	{ "deep@alias.test", "limits.recursion: at least 3 levels, 2 allowed" },
	{ "long@alias.test", "limits.address_bytes: at least 49 bytes, 40 allowed" },
	{ "loop@alias.test", "alias loop" },
	{ "slow@alias.test", "pattern gave up (match limit): rules:3" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa@slow.test", "pattern gave up (match limit): rules:3" },
	{ "odd@alias.test", "pattern makes no address: rules:4" },
	{ "half@alias.test", "pattern makes no address: rules:4" },
	{ "dead@other.test", "no target that could be delivered" },
	{ "a@b@alias.test", "sender-specified routing" },
	{ "a b@alias.test", "bad address" },
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/* With -v. */
static void explain_as(bool is_json, const char *address, struct buffer *out)
{
	static const struct answer_texts texts = { "550", "5.1.1", "User unknown", false };
	struct explain explain;

	buffer_clear(out);
	explain_init(&explain, table, &settings->limits, &texts,
		     &(struct explain_form){ .is_json = is_json, .is_verbose = true });
	explain_address(&explain, bytes_of(address), out);
	explain_free(&explain);
	assert_false(out->has_failed);
}

static void explanations_have_the_reason(void **state)
{
	struct buffer out;
	char wanted[256];

	(void)state;
	buffer_init(&out, 1 << 16);
	for (size_t i = 0; i < CASES; i++) {
		explain_as(false, cases[i].address, &out);
		(void)snprintf(wanted, sizeof(wanted), "\n\t(reason)\t%s\n",
			       cases[i].reason != NULL ? cases[i].reason : "");
		if ((strstr(out.data, wanted) != NULL) != (cases[i].reason != NULL) ||
		    (strstr(out.data, "(reason)") != NULL) != (cases[i].reason != NULL))
			fail_msg("%s", out.data);
		explain_as(true, cases[i].address, &out);
		(void)snprintf(wanted, sizeof(wanted),
			       cases[i].reason != NULL ? ",\"reason\":\"%s\",\"steps\":"
						       : ",\"reason\":null,\"steps\":",
			       cases[i].reason);
		if (strstr(out.data, wanted) == NULL)
			fail_msg("%s", out.data);
	}
	buffer_free(&out);
}

/* ---- what is logged ----------------------------------------------------------------------- */

/* Standard error of what happens between the two, in TEXT. */
static FILE *begin_capture(int *out_stderr)
{
	FILE *stream = tmpfile();

	assert_non_null(stream);
	*out_stderr = dup(STDERR_FILENO);
	assert_true(*out_stderr >= 0 && dup2(fileno(stream), STDERR_FILENO) >= 0);
	log_open(LOG_SINK_STDERR, "test");
	return stream;
}

static void end_capture(FILE *stream, int old_stderr, char *text, size_t room)
{
	ssize_t size;

	assert_true(dup2(old_stderr, STDERR_FILENO) >= 0 && close(old_stderr) == 0);
	size = pread(fileno(stream), text, room - 1, 0);
	assert_int_equal(fclose(stream), 0);
	assert_true(size >= 0);
	text[size] = '\0';
}

/* What is logged of a recipient of a message. */
static void log_recipient(const char *address, char *text, size_t room)
{
	char *no_parameters[] = { NULL };
	struct snapshot_store store;
	struct transaction transaction;
	struct decision decision;
	struct mta mta;
	const struct message_facts facts = { .mta = &mta };
	struct error err;
	FILE *stream;
	int old_stderr;

	mta_init(&mta, "Postfix 3.7.11", true);
	snapshot_store_init(&store);
	snapshot_publish(&store, snapshot_new(table_open(table_path, (uid_t)-1, TABLE_COPIED, &err),
					      settings, &err));
	transaction_init(&transaction, &store);
	assert_true(transaction_begin(&transaction, &facts));
	stream = begin_capture(&old_stderr);
	transaction_recipient(&transaction, address, no_parameters, &decision);
	if (decision.judgement.action == POLICY_REFUSE)
		transaction_log_refusal(&transaction, &decision);
	end_capture(stream, old_stderr, text, room);
	transaction_free(&transaction);
	snapshot_store_clear(&store);
}

static void deferrals_are_logged_with_their_reason(void **state)
{
	char text[4096], wanted[256];

	(void)state;
	settings->log_refusals = true;
	for (size_t i = 0; i < CASES; i++) {
		size_t size;

		log_recipient(cases[i].address, text, sizeof(text));
		(void)snprintf(wanted, sizeof(wanted), ", reason=%s\n",
			       cases[i].reason != NULL ? cases[i].reason : "");
		size = cases[i].reason != NULL ? strlen(wanted) : 0;
		if (strlen(text) < size || memcmp(text + strlen(text) - size, wanted, size) != 0 ||
		    (size == 0 && strstr(text, "reason=") != NULL))
			fail_msg("%s", text);
	}
	settings->log_refusals = false;
	log_recipient("nobody@alias.test", text, sizeof(text));
	assert_string_equal(text, "");
	log_recipient("loop@alias.test", text, sizeof(text));
	assert_non_null(strstr(text, "warning: NOQUEUE: deferred: 451 4.6.0 <loop@alias.test>: "
				     "Alias expansion error, reason=alias loop\n"));
}

static void too_many_recipients_name_their_limit(void **state)
{
	char text[4096];

	(void)state;
	settings->limit_message_recipients = 1;
	settings->limits.expansion = 4;
	log_recipient("four@alias.test", text, sizeof(text));
	settings->limit_message_recipients = 10000;
	settings->limits.expansion = 3;
	assert_non_null(strstr(text, "deferred: 452 4.5.3 <four@alias.test>: Too many recipients, "
				     "reason=limits.message_recipients: at least 2 recipients, "
				     "1 allowed\n"));
}

/* Last, since it can't be undone. */
static void debug_lines_tell_the_steps(void **state)
{
	char text[4096];

	(void)state;
	log_recipient("<ann+x@alias.test>", text, sizeof(text));
	assert_string_equal(text, "");
	log_enable_debug();
	settings->limits.recursion = 100;
	log_recipient("<deep3@alias.test>", text, sizeof(text));
	assert_non_null(strstr(text, ": debug: <deep3@alias.test>: key deep3@alias.test: found, "
				     "source=virtual:6\n"));
	assert_non_null(strstr(text, ": debug: <deep3@alias.test>: key ann@alias.test: found, "));
	assert_non_null(strstr(text, ": debug: <deep3@alias.test>: expand ann@far.test\n"));
	log_recipient("<dead@other.test>", text, sizeof(text));
	assert_non_null(strstr(text, "target nobody@alias.test: left out, it could only bounce, "
				     "source=virtual:13\n"));
	assert_non_null(strstr(text, "debug: <dead@other.test>: defer, reason=no target that"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explanations_have_the_reason),
		cmocka_unit_test(deferrals_are_logged_with_their_reason),
		cmocka_unit_test(too_many_recipients_name_their_limit),
		cmocka_unit_test(debug_lines_tell_the_steps),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
