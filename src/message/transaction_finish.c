/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/transaction.h"

#include "message/transaction_inside.h"

enum {
	/* Beyond this many pairs deleting first is cheaper: each delete reads all recipients. */
	PAIRS_ADD_FIRST = 1000000,
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

	if (transaction->put_off > 0)
		return TRANSACTION_DEFERRED;
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
