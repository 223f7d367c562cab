/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/transaction.h"

#include "mail/address.h"
#include "message/transaction_inside.h"
#include "service/log.h"

enum {
	/* Beyond this many pairs deleting first is cheaper: each delete reads all recipients. */
	PAIRS_ADD_FIRST = 1000000,
	LOG_ADDRESSES_BYTES = 900, /* of one line */
};

/* Originals that are in the final envelope, under whatever spelling, stay where they are; merged,
 * they serve everybody who wants them. */
static size_t settle_originals(struct transaction *transaction)
{
	size_t deletes = 0;

	for (struct original *original = transaction->first; original != NULL;
	     original = original->next) {
		struct final *final =
			(struct final *)keyset_find(&transaction->finals, original->folded);

		if (final != NULL) {
			original->is_deleted = false;
			final->is_kept |= transaction_merges(transaction);
		}
		deletes += original->is_deleted;
	}
	return deletes;
}

static bool is_added(const struct keyset_entry *entry)
{
	const struct final *final = (const struct final *)entry;

	return final->address != NULL && !final->is_kept;
}

static size_t count_adds(const struct transaction *transaction)
{
	size_t adds = 0;

	for (const struct keyset_entry *entry = transaction->finals.first; entry != NULL;
	     entry = entry->next)
		adds += is_added(entry);
	return adds;
}

static struct edit *list_deletes(const struct transaction *transaction, struct edit *at)
{
	for (const struct original *original = transaction->first; original != NULL;
	     original = original->next)
		if (original->is_deleted)
			*at++ = (struct edit){ .kind = EDIT_DELETE,
					       .address = original->entry.key.data };
	return at;
}

static struct edit *list_adds(const struct transaction *transaction, struct edit *at)
{
	for (const struct keyset_entry *entry = transaction->finals.first; entry != NULL;
	     entry = entry->next) {
		const struct final *final = (const struct final *)entry;

		if (is_added(entry))
			*at++ = (struct edit){ .kind = EDIT_ADD,
					       .address = final->address,
					       .parameters = final->parameters };
	}
	return at;
}

enum transaction_outcome transaction_finish(struct transaction *transaction,
					    const struct edit **out_edits, size_t *out_count)
{
	struct edit *edits;
	size_t deletes;
	size_t adds;

	if (transaction->first == NULL)
		return TRANSACTION_UNCHANGED;
	/* An MTA that is left without any recipient says 250 and loses the message. */
	if (transaction->finals.count + transaction->untracked == 0)
		return transaction->has_replaced ? TRANSACTION_DEFERRED : TRANSACTION_DISCARDED;
	deletes = settle_originals(transaction);
	adds = count_adds(transaction);
	/* The limit is for recipients: a message that is full of them must not fail here each time
	 * it is tried again. (One more, since sizes are rounded up.) */
	transaction->arena.limit_bytes += (adds + deletes + 1) * sizeof(*edits);
	edits = arena_alloc(&transaction->arena, (adds + deletes) * sizeof(*edits));
	if (edits == NULL)
		return TRANSACTION_DEFERRED;
	/* Disjoint, so that both orders end the same; a crash in between loses less this way. */
	if (deletes > 0 && adds > PAIRS_ADD_FIRST / deletes)
		(void)list_adds(transaction, list_deletes(transaction, edits)); /* its end */
	else
		(void)list_deletes(transaction, list_adds(transaction, edits)); /* likewise */
	*out_edits = edits;
	*out_count = adds + deletes;
	return *out_count == 0 ? TRANSACTION_UNCHANGED : TRANSACTION_EDITED;
}

/* ---- the log -------------------------------------------------------------------------- */

/* Without an address to add it is one that the client gave too. */
static void print_final(const struct final *final, struct buffer *text)
{
	if (final->address != NULL) {
		(void)address_escape(bytes_of(final->address), false, text); /* may be cut */
		return;
	}
	(void)buffer_append_byte(text, '<');
	(void)address_escape(final->entry.key, false, text);
	(void)buffer_append_byte(text, '>');
}

/* Append `<a@b>,<c@d>`, and how many more there are. */
static void print_targets(const struct original *original, struct buffer *text)
{
	for (size_t i = 0; i < original->target_count; i++) {
		if (i == ORIGINAL_TARGETS || text->size > LOG_ADDRESSES_BYTES) {
			(void)buffer_append_format(text, ",...(+%zu)",
						   original->target_count - i); /* may be cut */
			return;
		}
		if (i > 0)
			(void)buffer_append_byte(text, ',');
		print_final(original->targets[i], text);
	}
}

static void log_original(struct transaction *transaction, const struct original *original,
			 const char *queue_id, struct log_batch *batch)
{
	const struct table *table = transaction->snapshot->table;
	struct buffer *text = &transaction->text;
	struct bytes source;
	uint32_t line;

	buffer_clear(text);
	/* Whatever has no room is missing from the line, which is better than no line. */
	(void)buffer_append_text(text, queue_id);
	(void)buffer_append_text(text, original->target_count > 0 ? ": to=" : ": discarded");
	print_targets(original, text);
	(void)buffer_append_text(text, ", orig_to=");
	(void)address_escape(original->entry.key, false, text);
	if (table_provenance(table, &original->source, &source, &line) == LOOKUP_FOUND) {
		(void)buffer_append_text(text, ", source=");
		(void)address_escape(source, false, text);
		(void)buffer_append_byte(text, ':');
		(void)buffer_append_number(text, line);
	}
	(void)buffer_append_text(text, ", table=");
	(void)buffer_append_number(text, table_facts(table)->generation);
	log_batch_add(batch, SEVERITY_INFO, buffer_bytes(text));
}

/* Behind the reply, since that is made of what the client sent: the last reason is the true one. */
void transaction_log_refusal(struct transaction *transaction, const struct decision *decision)
{
	const struct judgement *judgement = &decision->judgement;
	const struct reply *reply = &decision->reply;
	bool is_doubt = judgement->verdict == VERDICT_DEFER;
	struct buffer *text = &transaction->text;

	if (!is_doubt && !transaction->snapshot->policy.logs_refusals)
		return;
	buffer_clear(text);
	/* What has no room is missing from the line: see log_original(). */
	if (judgement->reason != REASON_NONE)
		(void)buffer_append_text(text, ", reason=");
	(void)reason_print(transaction->snapshot->table, judgement->reason, &judgement->detail,
			   text);
	log_line(is_doubt ? SEVERITY_WARNING : SEVERITY_INFO,
		 "NOQUEUE: %s: %s %s " BYTES_FORMAT BYTES_FORMAT, is_doubt ? "deferred" : "refused",
		 reply->code, reply->enhanced, BYTES_ARGS(reply->text),
		 BYTES_ARGS(buffer_bytes(text)));
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
