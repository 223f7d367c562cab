/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The k-th allocation behind an answer fails, for every k and with every amount of the arena's
 * first chunk used up, so that each piece of memory in turn is the one that needs a new chunk.
 * Either the answer is the right one, or it is "try again later" for want of memory.
 */
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
#include "failing_memory.h"
#include "message/transaction.h"
#include "explain/explain.h"
#include "resolve/resolve.h"
#include "show/text_output.h"

enum {
	ARENA_BYTES = 1 << 20,
	CHUNK_BYTES = 8192,
	STEP_BYTES = 80, /* a multiple of what pieces of an arena are rounded to */
	ANSWER_BYTES = 4096,
};

/* ---- the table ---------------------------------------------------------------------------- */

static const char virtual_text[] =
	"alias.test x\n"
	"neg.test x\n"
	"one.test x\n"
	"team@alias.test ann@far.test, \"q x\"@far.test, Bob@alias.test, u1@alias.test\n"
	"bob@alias.test Bob@Far.test\n"
	"u1@alias.test U1@far.test, u1@near\n"
	"word@alias.test J\303\274rgen@m\303\274ller.test\n"
	"J\303\274rgen@alias.test j\303\274@far.test\n"
	"moved@alias.test @far.test\n"
	"gone@alias.test error:5.1.6:550 Ann has left\n"
	"none@alias.test discard:\n"
	"loop@alias.test loop2@alias.test\n"
	"loop2@alias.test loop@alias.test\n"
	"many@alias.test a1@f.test, a2@f.test, a3@f.test, a4@f.test, a5@f.test, a6@f.test, "
	"a7@f.test, a8@f.test, a9@f.test, b1@f.test, b2@f.test, b3@f.test, b4@f.test, "
	"bob@alias.test, word@alias.test, c1@one.test\n";

static const char pcre_text[] =
	"/^(.*)@p\\.test$/ ${1}@host, second@host\n"
	"/^(.*)\\.(.*)@pp\\.test$/ $2@far.test, \"a ${1}\"@host, \"b \\\" c\"@near\n"
	"/^keeps@pp\\.test$/ @far.test\n"
	"if !/^(ann|bob)@neg\\.test$/\n"
	"/@neg\\.test$/ wrong@far.test\n"
	"endif\n"
	"/^ann@neg\\.test$/ right@far.test\n"
	"if /@one\\.test$/\n"
	"!/^(ann|bob|c1|[A-Z]*)@/ wrong@far.test\n"
	"/^(ann|c1)@/ right-$1@far.test\n"
	"endif\n"
	"/@m\303\274ller\\.test$/ miller@far.test\n";

static char folder[] = "/tmp/test_no_memory_answer.XXXXXX";
static char virtual_path[64];
static char pcre_path[64];
static char conf_path[64];
static char table_path[64];
static struct settings *settings;

static void put(const char *path, const char *text)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

static int compile(bool has_patterns)
{
	struct settings_source sources[] = {
		{ .type = (char *)(uintptr_t) "pcre", .path = pcre_path },
		{ .type = (char *)(uintptr_t) "virtual", .path = virtual_path },
	};
	const struct compile_options options = {
		.sources = has_patterns ? sources : sources + 1,
		.source_count = has_patterns ? 2 : 1,
		.output = table_path,
		.is_sync_skipped = true,
		.is_lenient = true, /* loops and all */
		.messages = tmpfile(),
	};
	int status;

	assert_non_null(options.messages);
	status = compile_run(settings, &options);
	assert_int_equal(fclose(options.messages), 0);
	return status;
}

static int begin(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(virtual_path, sizeof(virtual_path), "%s/virtual", folder);
	(void)snprintf(pcre_path, sizeof(pcre_path), "%s/pcre", folder);
	(void)snprintf(conf_path, sizeof(conf_path), "%s/conf", folder);
	(void)snprintf(table_path, sizeof(table_path), "%s/table", folder);
	put(virtual_path, virtual_text);
	put(pcre_path, pcre_text);
	put(conf_path, "origin = \"origin.test\"; append_dot_domain = \"corp.test\";\n"
		       "recipient_delimiter = \"+\";\n");
	settings = settings_load(conf_path, NULL, NULL, NULL);
	return settings == NULL ? -1 : 0;
}

static int end(void **state)
{
	char command[64];

	(void)state;
	settings_free(settings);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* ---- answers ------------------------------------------------------------------------------ */

static const char *const addresses[] = {
	"<ann@p.test>",
	"<Ann+x@P.Test>",
	"<one.two@pp.test>",
	"<keeps@pp.test>",
	"<ann@neg.test>",
	"<bob@neg.test>",
	"<carl@neg.test>",
	"<ann@one.test>",
	"<bob@one.test>",
	"<carl@one.test>",
	"<joe@m\303\274ller.test>",
	"<word@alias.test>",
	"<team@alias.test>",
	"<Team+Ext@Alias.test>",
	"<\"te\\am\"@alias.test>",
	"<J\303\234RGEN@alias.test>",
	"<moved+x@alias.test>",
	"<gone@alias.test>",
	"<none@alias.test>",
	"<loop@alias.test>",
	"<many@alias.test>",
	"<nobody@alias.test>",
	"<a%alias.test@origin.test>",
	"<Foreign@Else.test>",
};

enum { ADDRESSES = sizeof(addresses) / sizeof(addresses[0]) };

static void add(char *answer, struct bytes text)
{
	size_t used = strlen(answer);

	(void)snprintf(answer + used, ANSWER_BYTES - used, BYTES_FORMAT, BYTES_ARGS(text));
}

/* Into ANSWER, of ANSWER_BYTES, so that showing it takes no memory. */
static void describe(const struct resolution *resolution, char *answer)
{
	answer[0] = '\0';
	add(answer, bytes_of(resolve_verdict_name(resolution->verdict)));
	add(answer, bytes_of(" ("));
	add(answer, bytes_of(reason_name(resolution->reason)));
	add(answer, bytes_of(")"));
	add(answer, resolution->reply);
	for (size_t i = 0; i < resolution->recipient_count; i++) {
		add(answer, bytes_of(" "));
		add(answer, resolution->recipients[i].address.local);
		add(answer, bytes_of("@"));
		add(answer, resolution->recipients[i].address.domain);
	}
}

/* Resolve with USED bytes of the arena gone; how many allocations there were. */
static unsigned long ask(const struct table *table, const char *text, size_t used,
			 unsigned long failing, char *answer)
{
	static const struct resolve_limits limits = {
		.expansion = 1000,
		.recursion = 100,
		.address_bytes = 250,
	};
	const struct resolve_options options = { .limits = &limits, .has_smtputf8 = true };
	struct resolution resolution;
	struct arena arena;
	unsigned long count;

	arena_init(&arena, ARENA_BYTES);
	fails_at = 0;
	assert_non_null(arena_alloc(&arena, used));
	calls = 0;
	fails_at = failing;
	resolve(table, &options, bytes_of(text), &arena, NULL, &resolution);
	fails_at = 0;
	count = calls;
	describe(&resolution, answer);
	arena_free(&arena);
	return count;
}

/* Returns how many answers were deferred. */
static size_t starve(const struct table *table, const char *text, size_t used, bool for_good)
{
	char right[ANSWER_BYTES], answer[ANSWER_BYTES];
	unsigned long total = ask(table, text, used, 0, right);
	size_t deferred = 0;

	fails_for_good = for_good;
	for (unsigned long failing = 1; failing <= total; failing++) {
		(void)ask(table, text, used, failing, answer);
		if (strcmp(answer, "defer (out of memory)") == 0)
			deferred++;
		else if (strcmp(answer, right) != 0)
			fail_msg("%s, allocation %lu%s, %zu bytes used:\n%s\ninstead of\n%s", text,
				 failing, for_good ? " and on" : "", used, answer, right);
	}
	return deferred;
}

static void starve_all(enum table_load load)
{
	struct error err;
	struct table *table = table_open(table_path, (uid_t)-1, load, &err);
	size_t deferred = 0;

	assert_non_null(table);
	for (size_t i = 0; i < ADDRESSES; i++)
		for (size_t used = 0; used <= CHUNK_BYTES; used += STEP_BYTES) {
			deferred += starve(table, addresses[i], used, false);
			deferred += starve(table, addresses[i], used, true);
		}
	assert_true(deferred > ADDRESSES);
	table_close(table);
}

static void an_answer_is_right_or_put_off(void **state)
{
	(void)state;
	assert_int_equal(compile(false), EX_OK);
	starve_all(TABLE_COPIED);
	starve_all(TABLE_GUARDED);
}

static void an_answer_of_patterns_is_right_or_put_off(void **state)
{
	(void)state;
	assert_int_equal(compile(true), EX_OK);
	starve_all(TABLE_COPIED);
	starve_all(TABLE_GUARDED);
}

/* ---- messages ----------------------------------------------------------------------------- */

static const char *const recipients[] = {
	"<team@alias.test>",
	"<ann@p.test>",
	"<u1@alias.test>\tNOTIFY=SUCCESS\tORCPT=rfc822;u1@first.test",
	"<u1@alias.test>\tORCPT=rfc822;u1@other.test",
	"<nobody@alias.test>",
	"<none@alias.test>",
	"<U1@far.test>",
	"<gone@alias.test>",
	"<\"te\\am\"@alias.test>\tNOTIFY=NEVER",
	"<loop@alias.test>",
	"<Foreign@Else.test>",
	"<many@alias.test>",
};

enum { RECIPIENTS = sizeof(recipients) / sizeof(recipients[0]) };

/* What was said and done, for all but those who were put off. */
struct message {
	bool is_put_off[RECIPIENTS];
	bool is_deferred; /* all of it */
	char text[ANSWER_BYTES];
	unsigned long allocations;
};

static void say_recipient(struct transaction *transaction, size_t number, struct message *message)
{
	char copy[256];
	char *words[8] = { NULL };
	char *rest = copy;
	size_t count = 0;
	struct decision decision;

	(void)snprintf(copy, sizeof(copy), "%s", recipients[number]);
	while (count < 7 && (words[count] = strsep(&rest, "\t")) != NULL)
		count++;
	transaction_recipient(transaction, words[0], words + 1, &decision);
	if (decision.judgement.action != POLICY_REFUSE)
		return;
	message->is_put_off[number] = decision.reply.code[0] == '4';
	if (message->is_put_off[number])
		return;
	add(message->text, bytes_of(decision.reply.code));
	add(message->text, decision.reply.text);
	add(message->text, bytes_of("\n"));
}

static void finish_message(struct transaction *transaction, struct message *message)
{
	const struct edit *edits = NULL;
	size_t count = 0;
	enum transaction_outcome outcome = transaction_finish(transaction, &edits, &count);

	message->is_deferred = outcome == TRANSACTION_DEFERRED;
	add(message->text, bytes_of(outcome == TRANSACTION_DISCARDED ? "discarded" : ""));
	for (size_t i = 0; outcome == TRANSACTION_EDITED && i < count; i++) {
		add(message->text, bytes_of(edits[i].kind == EDIT_ADD ? "+" : "-"));
		add(message->text, bytes_of(edits[i].address));
		add(message->text, bytes_of(" "));
		if (edits[i].parameters != NULL)
			add(message->text, bytes_of(edits[i].parameters));
		add(message->text, bytes_of("\n"));
	}
}

/* All recipients but those who were put off in BEFORE. */
static void send(struct snapshot_store *store, const struct message *before, unsigned long failing,
		 struct message *out_message)
{
	static struct mta mta;
	const struct message_facts facts = { .mta = &mta };
	struct transaction transaction;

	mta_init(&mta, "Postfix 3.7.11", true);
	*out_message = (struct message){ .is_deferred = false };
	fails_at = 0;
	transaction_init(&transaction, store);
	assert_true(transaction_begin(&transaction, &facts));
	calls = 0;
	fails_at = failing;
	for (size_t i = 0; i < RECIPIENTS; i++)
		if (before == NULL || !before->is_put_off[i])
			say_recipient(&transaction, i, out_message);
	finish_message(&transaction, out_message);
	fails_at = 0;
	out_message->allocations = calls;
	transaction_free(&transaction);
}

/* Whoever was accepted is where he would be if the others had never been there. */
static void starve_message(struct snapshot_store *store)
{
	struct message right, hungry, rest;
	size_t put_off = 0;

	send(store, NULL, 0, &right);
	assert_false(right.is_deferred);
	for (unsigned long failing = 1; failing <= right.allocations; failing++) {
		send(store, NULL, failing, &hungry);
		send(store, &hungry, 0, &rest);
		put_off +=
			memcmp(hungry.is_put_off, right.is_put_off, sizeof(right.is_put_off)) != 0;
		if (!hungry.is_deferred && strcmp(hungry.text, rest.text) != 0)
			fail_msg("allocation %lu%s:\n%s\ninstead of\n%s", failing,
				 fails_for_good ? " and on" : "", hungry.text, rest.text);
	}
	assert_true(put_off > right.allocations / 2);
}

static void a_message_is_right_or_put_off(void **state)
{
	struct snapshot_store store;
	struct error err;

	(void)state;
	assert_int_equal(compile(true), EX_OK);
	for (int way = 0; way < 4; way++) {
		fails_for_good = way % 2 != 0;
		settings->merge_duplicates = way / 2 != 0;
		snapshot_store_init(&store);
		snapshot_publish(&store,
				 snapshot_new(table_open(table_path, (uid_t)-1, TABLE_COPIED, &err),
					      settings, &err));
		starve_message(&store);
		snapshot_store_clear(&store);
	}
}

/* ---- rcptmap resolve ---------------------------------------------------------------------- */

static const struct answer_texts texts = { "550", "5.1.1", "User unknown", false };

/* Into FD; false: the output says that it isn't whole. */
static bool explain_all(const struct table *table, const struct explain_form *form,
			unsigned long failing, int fd)
{
	const struct resolve_limits limits = {
		.expansion = 1000,
		.recursion = 100,
		.address_bytes = 250,
	};
	struct text_output output;
	struct explain explain;
	struct error err;
	bool goes_on = true;

	fails_at = 0;
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	explain_init(&explain, table, &limits, &texts, form);
	text_output_init(&output, fd);
	calls = 0;
	fails_at = failing;
	for (size_t i = 0; i < ADDRESSES && goes_on; i++) {
		explain_address(&explain, bytes_of(addresses[i]), &output.text);
		goes_on = text_output_advance(&output);
	}
	goes_on = text_output_finish(&output, &err);
	fails_at = 0;
	explain_free(&explain);
	return goes_on;
}

static void read_back(int fd, char *text, size_t room)
{
	ssize_t size = pread(fd, text, room - 1, 0);

	assert_true(size >= 0);
	text[size] = '\0';
}

/* Of the first line, with those below it that are indented; without the last newline. */
static size_t answer_size(const char *text)
{
	size_t size = strcspn(text, "\n");

	while (text[size] == '\n' && text[size + 1] == '\t')
		size += 1 + strcspn(text + size + 1, "\n");
	return size;
}

/* Each answer of HUNGRY is that of RIGHT, or tells to try again; false: some are missing. */
static bool compare_lines(const char *hungry, const char *right)
{
	while (*hungry != '\0') {
		size_t size = answer_size(hungry);
		size_t right_size = answer_size(right);

		assert_int_equal(hungry[size], '\n');
		if ((size != right_size || memcmp(hungry, right, size) != 0) &&
		    memmem(hungry, size, "Temporary lookup failure", 24) == NULL)
			fail_msg("%.*s\ninstead of\n%.*s", (int)size, hungry, (int)right_size,
				 right);
		hungry += size + 1;
		right += right_size + 1;
	}
	return *right == '\0';
}

static void a_printed_answer_is_whole(void **state)
{
	static const struct explain_form forms[] = {
		{ .is_json = false },
		{ .is_json = true },
		{ .is_verbose = true },
	};
	static char right[1 << 16], hungry[1 << 16];
	FILE *stream = tmpfile();
	struct table *table;
	unsigned long total;

	(void)state;
	assert_non_null(stream);
	assert_int_equal(compile(true), EX_OK);
	table = table_open(table_path, (uid_t)-1, TABLE_COPIED, NULL);
	assert_non_null(table);
	for (int way = 0; way < 6; way++) {
		const struct explain_form *form = &forms[way / 2];

		fails_for_good = way % 2 != 0;
		assert_true(explain_all(table, form, 0, fileno(stream)));
		total = calls;
		read_back(fileno(stream), right, sizeof(right));
		for (unsigned long failing = 1; failing <= total; failing++) {
			bool is_whole = explain_all(table, form, failing, fileno(stream));

			read_back(fileno(stream), hungry, sizeof(hungry));
			if (!compare_lines(hungry, right) && is_whole)
				fail_msg("allocation %lu: lines are missing", failing);
		}
	}
	table_close(table);
	assert_int_equal(fclose(stream), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_right_or_put_off),
		cmocka_unit_test(an_answer_of_patterns_is_right_or_put_off),
		cmocka_unit_test(a_message_is_right_or_put_off),
		cmocka_unit_test(a_printed_answer_is_whole),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
