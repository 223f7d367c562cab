/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transaction_log - what the log says of a message.
 *
 * What a client or the MTA sent goes through address_escape(), and an address besides is printed
 * anew, so that only what stands in quotes can look like the rest of a line. Whatever has no room
 * or no memory is missing from a line, which is better than no line.
 */
#include "message/transaction.h"

#include <string.h>

#include "mail/address.h"
#include "message/trace.h"
#include "message/transaction_inside.h"
#include "service/log.h"

enum {
	LINE_ADDRESSES_BYTES = 900, /* of one line */
	PUT_OFF_SHOWN = 16,         /* of one message, which comes again each minute */
	PARTS = 6,
	PRINTED_BYTES = 65536, /* of an address in quotes; longer ones are shown otherwise */
};

/* The parts of a line that the journal has as fields. */
struct parts {
	struct log_field fields[PARTS];
	size_t count;
};

/* The part of TEXT from BEGIN to where it ends now is the field NAME. */
static void mark(struct parts *parts, const char *name, const struct buffer *text, size_t begin)
{
	parts->fields[parts->count++] =
		(struct log_field){ .name = name, .begin = begin, .end = text->size };
}

/* Can't be taken for the end of an address, or for more than one. */
static bool is_plain(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' ||
		    strchr("<>(),;\"\\", text.data[i]) != NULL)
			return false;
	return true;
}

static struct bytes without_brackets(struct bytes text)
{
	if (text.size >= 2 && text.data[0] == '<' && text.data[text.size - 1] == '>')
		return bytes_make(text.data + 1, text.size - 2);
	return text;
}

/* Append ADDRESS with its quotes; false: that can't be done, and nothing is appended. */
static bool show_printed(const struct address *address, struct buffer *line)
{
	struct buffer printed;
	bool is_shown;

	buffer_init(&printed, PRINTED_BYTES);
	is_shown = address_print(address, &printed) &&
		   address_escape(buffer_bytes(&printed), false, line);
	buffer_free(&printed);
	return is_shown;
}

/* What can't be read as an address: a bracket in it isn't the one that ends it. */
static void show_unreadable(struct transaction *transaction, struct bytes text, struct buffer *line)
{
	char *copy = arena_alloc(&transaction->scratch, text.size);

	if (copy == NULL)
		return;
	for (size_t i = 0; i < text.size; i++)
		copy[i] = text.data[i] == '<' || text.data[i] == '>' ? '?' : text.data[i];
	(void)address_escape(bytes_make(copy, text.size), false, line);
}

static void show_inside(struct transaction *transaction, struct bytes text, struct buffer *line)
{
	struct address_path path;

	if (is_plain(text)) {
		(void)address_escape(text, false, line);
		return;
	}
	if (address_parse_path(text, &transaction->scratch, &path) != ADDRESS_OK ||
	    path.was_rewritten || !show_printed(&path.address, line))
		show_unreadable(transaction, text, line);
}

/* Append the address that was sent as TEXT, in brackets. */
static void show_address(struct transaction *transaction, struct bytes text, struct buffer *line)
{
	(void)buffer_append_byte(line, '<');
	show_inside(transaction, without_brackets(text), line);
	(void)buffer_append_byte(line, '>');
}

/* NULL: the message has no queue ID yet. */
static void show_queue_id(const char *queue_id, struct buffer *line)
{
	if (queue_id == NULL)
		(void)buffer_append_text(line, "NOQUEUE");
	else
		(void)address_escape(bytes_of(queue_id), false, line);
}

/* Without an address to add it is one that the client gave too: `local@domain` without quotes. */
static void show_final(const struct final *final, struct buffer *line)
{
	struct bytes key = final->entry.key;
	size_t at = key.size;
	struct address address;

	if (final->address != NULL) {
		(void)address_escape(bytes_of(final->address), false, line);
		return;
	}
	while (at > 0 && key.data[at - 1] != '@')
		at--;
	address.local = bytes_first(key, at > 0 ? at - 1 : 0);
	address.domain = bytes_skip(key, at);
	(void)buffer_append_byte(line, '<');
	(void)show_printed(&address, line); /* a key has no byte that can't be printed */
	(void)buffer_append_byte(line, '>');
}

/* Append `<a@b>,<c@d>`, and how many more there are. */
static void show_targets(const struct original *original, struct buffer *line)
{
	for (size_t i = 0; i < original->target_count; i++) {
		if (i == ORIGINAL_TARGETS || line->size > LINE_ADDRESSES_BYTES) {
			(void)buffer_append_format(line, ",...(+%zu)", original->target_count - i);
			return;
		}
		if (i > 0)
			(void)buffer_append_byte(line, ',');
		show_final(original->targets[i], line);
	}
}

static void show_source(const struct transaction *transaction, const struct original *original,
			struct parts *parts, struct buffer *text)
{
	const struct table *table = transaction->snapshot->table;
	struct bytes source;
	uint32_t line;
	size_t begin;

	if (table_provenance(table, &original->source, &source, &line) == LOOKUP_FOUND) {
		(void)buffer_append_text(text, ", source=");
		begin = text->size;
		trace_place(source, line, text);
		mark(parts, "OPENRCPT_SOURCE", text, begin);
	}
	(void)buffer_append_text(text, ", table=");
	begin = text->size;
	(void)buffer_append_number(text, table_facts(table)->generation);
	mark(parts, "OPENRCPT_TABLE", text, begin);
}

static void log_original(struct transaction *transaction, const struct original *original,
			 const char *queue_id, struct log_batch *batch)
{
	struct buffer *text = &transaction->text;
	struct parts parts = { .count = 0 };
	size_t begin;

	arena_clear(&transaction->scratch);
	buffer_clear(text);
	show_queue_id(queue_id, text);
	mark(&parts, "OPENRCPT_QUEUE_ID", text, 0);
	(void)buffer_append_text(text, original->target_count > 0 ? ": to=" : ": discarded");
	begin = text->size;
	show_targets(original, text);
	mark(&parts, "OPENRCPT_TO", text, begin); /* empty: left out */
	(void)buffer_append_text(text, ", orig_to=");
	begin = text->size;
	show_address(transaction, original->entry.key, text);
	mark(&parts, "OPENRCPT_ORIG_TO", text, begin);
	show_source(transaction, original, &parts, text);
	log_batch_add(batch, SEVERITY_INFO, buffer_bytes(text), parts.fields, parts.count);
}

/* Behind the reply comes the reason, which the client isn't told. */
static void log_decision(struct transaction *transaction, const struct decision *decision,
			 const char *queue_id)
{
	const struct judgement *judgement = &decision->judgement;
	const struct reply *reply = &decision->reply;
	bool is_doubt = judgement->verdict == VERDICT_DEFER || judgement->action == POLICY_PUT_OFF;
	struct buffer *text = &transaction->text;
	struct parts parts = { .count = 0 };
	size_t begin;

	buffer_clear(text);
	show_queue_id(queue_id, text);
	mark(&parts, "OPENRCPT_QUEUE_ID", text, 0);
	(void)buffer_append_text(text, ": ");
	begin = text->size;
	(void)buffer_append_text(text, is_doubt ? "deferred" : "refused");
	mark(&parts, "OPENRCPT_VERDICT", text, begin);
	(void)buffer_append_format(text, ": %s %s ", reply->code, reply->enhanced);
	begin = text->size;
	show_address(transaction, decision->text, text);
	mark(&parts, "OPENRCPT_ORIG_TO", text, begin);
	(void)buffer_append_text(text, ": ");
	(void)address_escape(reply->words, false, text);
	if (judgement->reason != REASON_NONE)
		(void)buffer_append_text(text, ", reason=");
	begin = text->size;
	(void)reason_print(transaction->snapshot->table, judgement->reason, &judgement->detail,
			   text);
	mark(&parts, "OPENRCPT_REASON", text, begin); /* likewise */
	log_record(is_doubt ? SEVERITY_WARNING : SEVERITY_INFO, buffer_bytes(text), parts.fields,
		   parts.count);
}

void transaction_log_refusal(struct transaction *transaction, const struct decision *decision)
{
	if (decision->judgement.verdict == VERDICT_DEFER ||
	    transaction->snapshot->policy.logs_refusals)
		log_decision(transaction, decision, NULL);
}

void transaction_log_put_off(struct transaction *transaction, const struct decision *decision,
			     const char *queue_id)
{
	if (transaction->put_off <= PUT_OFF_SHOWN)
		log_decision(transaction, decision, queue_id);
}

void transaction_log_deferral(struct transaction *transaction, const char *queue_id,
			      const char *reason)
{
	struct buffer *text = &transaction->text;

	buffer_clear(text);
	show_queue_id(queue_id, text);
	if (transaction->put_off > 0)
		(void)buffer_append_format(text, ": deferred as a whole: recipients put off: %zu",
					   transaction->put_off);
	else
		(void)buffer_append_format(text, ": deferred: %s", reason);
	log_record(SEVERITY_WARNING, buffer_bytes(text), NULL, 0);
}

void transaction_log(struct transaction *transaction, const char *queue_id)
{
	struct log_batch batch;

	log_batch_begin(&batch);
	for (const struct original *original = transaction->first; original != NULL;
	     original = original->next)
		log_original(transaction, original, queue_id, &batch);
	log_batch_send(&batch);
}
