/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole messages. The first byte of the input chooses what kind of message it is; each line is a
 * recipient, a tab before each of its parameters. Whatever a client sends: no recipient of ours is
 * passed through, only targets of the table are added, and no envelope is left empty.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/make_table.h"
#include "mail/address.h"
#include "mail/fold.h"
#include "message/transaction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	RECIPIENTS_MAX = 64,
	PARAMETERS_MAX = 6,
	HAS_SMTPUTF8 = 1,
	IS_SUBMISSION = 2,
	IS_REINJECTED = 4,
	HAS_NO_PARAMETERS = 8,
	IS_UNMERGED = 16,
	HAS_FEW_RECIPIENTS = 32,
};

static const struct made_row rows[] = {
	{ "alias.test", MADE_ALIAS_DOMAIN },
	{ "catch.test", MADE_ALIAS_DOMAIN },
	{ "xn--mnchen-3ya.test", MADE_ALIAS_DOMAIN },
	{ "box.test", MADE_MAILBOX_DOMAIN },
	{ "a@alias.test", "b@dest.test" },
	{ "l@alias.test", "b@dest.test,c@dest.test,a@alias.test,q x@dest.test" },
	{ "u@alias.test", "j\xc3\xbcrgen@dest.test" },
	{ "g@alias.test", MADE_DISCARD },
	{ "e@alias.test", MADE_REPLY "550 5.1.6 gone" },
	{ "t@alias.test", MADE_REPLY "450 4.2.1 later" },
	{ "s@box.test", "s@box.test,b@dest.test" },
	{ "m@box.test", "m@box.test" },
	{ "@catch.test", "all@dest.test" },
	{ "a@xn--mnchen-3ya.test", "s@box.test" },
	{ "o@origin.test", "b@dest.test" },
	{ NULL, NULL },
};

struct message {
	struct snapshot_store store;
	struct transaction transaction;
	struct mta mta;
	struct message_facts facts;
	struct arena arena;
	/* The recipients that were accepted, as given. */
	const char *accepted[RECIPIENTS_MAX];
	size_t count;
};

/* Not assert(): NDEBUG must not make this target blind. */
static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void publish(struct snapshot_store *store, unsigned kind)
{
	struct settings *settings = settings_new();
	struct error err;
	struct snapshot *snapshot;

	must(settings != NULL, "there is memory");
	settings->merge_duplicates = (kind & IS_UNMERGED) == 0;
	if ((kind & HAS_FEW_RECIPIENTS) != 0)
		settings->limit_message_recipients = 2;
	snapshot = snapshot_new(make_table(rows, 1), settings, &err);
	must(snapshot != NULL, "there is a snapshot");
	snapshot_publish(store, snapshot);
	settings_free(settings);
}

/* Tables and policies, made once each. */
static struct snapshot_store *store_for(unsigned kind)
{
	static struct snapshot_store stores[4];
	unsigned index = (kind & IS_UNMERGED) / IS_UNMERGED +
			 2 * ((kind & HAS_FEW_RECIPIENTS) / HAS_FEW_RECIPIENTS);

	if (stores[index].current == NULL) {
		snapshot_store_init(&stores[index]);
		publish(&stores[index], kind);
	}
	return &stores[index];
}

/* TEXT as `local@domain`, folded; empty if it has no such form. */
static struct bytes key_of(struct message *message, const char *text)
{
	struct address_path path;
	struct bytes local;
	struct bytes domain = bytes_of("origin.test");
	char *key;

	if (address_parse_path(bytes_of(text), &message->arena, &path) != ADDRESS_OK ||
	    fold_local(path.address.local, &message->arena, &local) != FOLD_OK ||
	    (path.address.domain.size > 0 &&
	     fold_domain(path.address.domain, &message->arena, &domain) != FOLD_OK))
		return bytes_make(NULL, 0);
	key = arena_alloc(&message->arena, local.size + domain.size + 2);
	must(key != NULL, "there is memory");
	(void)sprintf(key, BYTES_FORMAT "@" BYTES_FORMAT, BYTES_ARGS(local), BYTES_ARGS(domain));
	return bytes_of(key);
}

static bool ends_with(struct bytes text, const char *end)
{
	size_t size = strlen(end);

	return text.size >= size && bytes_equal(bytes_skip(text, text.size - size), bytes_of(end));
}

static bool is_in_alias_domain(struct bytes key)
{
	return ends_with(key, "@alias.test") || ends_with(key, "@catch.test") ||
	       ends_with(key, "@xn--mnchen-3ya.test");
}

static bool is_local(struct bytes key)
{
	return ends_with(key, "@origin.test");
}

static void give_recipient(struct message *message, char *line)
{
	char *words[PARAMETERS_MAX + 2] = { NULL };
	struct decision decision;
	size_t count = 0;

	while (count <= PARAMETERS_MAX && (words[count] = strsep(&line, "\t")) != NULL)
		count++;
	transaction_recipient(&message->transaction, words[0], words + 1, &decision);
	if (decision.judgement.action != POLICY_REFUSE &&
	    decision.judgement.action != POLICY_PUT_OFF) {
		message->accepted[message->count++] = words[0];
		must(decision.judgement.verdict != VERDICT_DEFER ||
			     is_local(key_of(message, words[0])),
		     "a doubt is never accepted");
		return;
	}
	must((decision.judgement.action == POLICY_PUT_OFF) == message->facts.is_submission,
	     "a submission is never refused, and nothing else is put off as a whole");
	must(!message->facts.is_submission || decision.reply.code[0] == '4',
	     "only a doubt puts off");
	must(decision.reply.code[0] == '4' || decision.reply.code[0] == '5', "a refusal refuses");
	must(decision.reply.code[0] == decision.reply.enhanced[0], "the codes agree");
	must(decision.judgement.verdict != VERDICT_DEFER || decision.reply.code[0] == '4',
	     "a doubt is put off");
	must(decision.reply.text.size <= REPLY_TEXT_MAX, "a reply has a largest size");
	for (size_t i = 0; i < decision.reply.text.size; i++)
		must((unsigned char)decision.reply.text.data[i] >= ' ', "a reply is one line");
}

/* Does some edit of KIND have KEY, or TEXT? */
static bool is_edited(struct message *message, const struct edit *edits, size_t count,
		      enum edit_kind kind, struct bytes key)
{
	for (size_t i = 0; i < count; i++)
		if (edits[i].kind == kind && bytes_equal(key_of(message, edits[i].address), key))
			return true;
	return false;
}

static void check_edit(struct message *message, const struct edit *edit)
{
	struct bytes key = key_of(message, edit->address);
	struct bytes text = bytes_of(edit->address);
	bool was_given = false;

	must(text.size > 2 && text.data[0] == '<' && text.data[text.size - 1] == '>',
	     "an address is in brackets");
	must(!bytes_contain(text, '\n') || edit->kind == EDIT_DELETE, "an address is one line");
	if (edit->kind == EDIT_ADD) {
		must(ends_with(key, "@dest.test") || ends_with(key, "@box.test"),
		     "only targets are added");
		must(edit->parameters == NULL ||
			     bytes_begin_with(bytes_of(edit->parameters), bytes_of("ORCPT=")) ||
			     bytes_begin_with(bytes_of(edit->parameters), bytes_of("NOTIFY=")),
		     "parameters are NOTIFY and ORCPT");
		return;
	}
	for (size_t i = 0; i < message->count; i++)
		was_given |= bytes_equal(key_of(message, message->accepted[i]), key);
	must(was_given, "only what was given is deleted");
}

static void check_edits(struct message *message, const struct edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check_edit(message, &edits[i]);
		must(edits[i].kind != EDIT_ADD || !is_edited(message, edits, count, EDIT_DELETE,
							     key_of(message, edits[i].address)),
		     "nobody is added and deleted");
	}
}

static void check_end(struct message *message)
{
	const struct edit *edits = NULL;
	size_t count = 0;
	size_t left = 0;
	enum transaction_outcome outcome =
		transaction_finish(&message->transaction, &edits, &count);

	must((outcome == TRANSACTION_DEFERRED) == (message->transaction.put_off > 0),
	     "there is always somebody left, and nobody is forgotten");
	if (outcome == TRANSACTION_DEFERRED)
		return;
	if (outcome == TRANSACTION_EDITED)
		check_edits(message, edits, count);
	for (size_t i = 0; i < message->count && outcome != TRANSACTION_DISCARDED; i++) {
		struct bytes key = key_of(message, message->accepted[i]);
		bool is_deleted = is_edited(message, edits, count, EDIT_DELETE, key);

		left += !is_deleted;
		must(is_deleted || message->facts.is_submission || !is_in_alias_domain(key),
		     "no recipient of ours is passed through");
	}
	for (size_t i = 0; i < count; i++)
		left += edits[i].kind == EDIT_ADD;
	must(left > 0 || message->count == 0 || outcome == TRANSACTION_DISCARDED,
	     "no envelope is left empty");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message message = { .count = 0 };
	unsigned kind = size > 0 ? data[0] : 0;
	char *text = malloc(size + 1);
	char *rest = text;
	char *line;
	size_t given = 0;

	must(text != NULL, "there is memory");
	if (size > 0)
		memcpy(text, data + 1, size - 1);
	text[size > 0 ? size - 1 : 0] = '\0';
	mta_init(&message.mta, "Postfix 3.11.6", (kind & HAS_NO_PARAMETERS) == 0);
	message.facts = (struct message_facts){
		.mta = &message.mta,
		.is_submission = (kind & IS_SUBMISSION) != 0,
		.is_reinjected = (kind & IS_REINJECTED) != 0,
		.has_smtputf8 = (kind & HAS_SMTPUTF8) != 0,
	};
	arena_init(&message.arena, 64 << 20);
	transaction_init(&message.transaction, store_for(kind));
	must(transaction_begin(&message.transaction, &message.facts), "there is a table");
	for (; given < RECIPIENTS_MAX && (line = strsep(&rest, "\n")) != NULL; given++)
		give_recipient(&message, line);
	check_end(&message);
	transaction_free(&message.transaction);
	arena_free(&message.arena);
	free(text);
	return message.count > 0 ? 0 : -1;
}
