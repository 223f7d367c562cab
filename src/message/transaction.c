/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/counters.h"
#include "message/transaction.h"

#include <string.h>

#include "base/clock.h"
#include "mail/address.h"
#include "mail/fold.h"
#include "message/trace.h"
#include "message/transaction_inside.h"
#include "resolve/answer.h"
#include "service/log.h"

enum {
	TEXT_BYTES_MAX = 65536,               /* of one printed address or parameter list */
	SCRATCH_BYTES_MAX = 16 * 1024 * 1024, /* to resolve one recipient */
	MESSAGE_BYTES = 1024 * 1024,          /* of one message, and as much more ... */
	RECIPIENT_BYTES = 2048,               /* ... for each recipient it may have */
};

void transaction_init(struct transaction *transaction, struct snapshot_store *store)
{
	*transaction = (struct transaction){ .store = store };
	arena_init(&transaction->arena, MESSAGE_BYTES);
	arena_init(&transaction->scratch, SCRATCH_BYTES_MAX);
	buffer_init(&transaction->text, TEXT_BYTES_MAX);
}

void transaction_free(struct transaction *transaction)
{
	transaction_end(transaction);
	arena_free(&transaction->arena);
	arena_free(&transaction->scratch);
	buffer_free(&transaction->text);
}

bool transaction_is_open(const struct transaction *transaction)
{
	return transaction->snapshot != NULL;
}

bool transaction_begin(struct transaction *transaction, const struct message_facts *facts)
{
	struct snapshot *snapshot;

	transaction_end(transaction);
	snapshot = snapshot_acquire(transaction->store);
	if (snapshot == NULL)
		return false;
	transaction->snapshot = snapshot;
	transaction->facts = *facts;
	transaction->arena.limit_bytes =
		MESSAGE_BYTES + snapshot->policy.message_recipients * RECIPIENT_BYTES;
	keyset_init(&transaction->finals, &transaction->arena, snapshot->seed);
	keyset_init(&transaction->texts, &transaction->arena, snapshot->seed);
	transaction->first = NULL;
	transaction->end = &transaction->first;
	transaction->untracked = 0;
	transaction->put_off = 0;
	transaction->has_replaced = false;
	return true;
}

void transaction_end(struct transaction *transaction)
{
	if (transaction->snapshot == NULL)
		return;
	snapshot_release(transaction->store, transaction->snapshot);
	transaction->snapshot = NULL;
	arena_clear(&transaction->arena);
	arena_clear(&transaction->scratch);
}

/* LEFT, the byte BETWEEN and RIGHT one after the other; false: no memory. */
static bool join(struct arena *arena, struct bytes left, char between, struct bytes right,
		 struct bytes *out_joined)
{
	const struct bytes parts[] = { left, bytes_make(&between, 1), right };

	return arena_join(arena, parts, 3, out_joined);
}

/* ---- one recipient -------------------------------------------------------------------- */

/* The key of an address as the client gave it; false: no memory. Empty: it can't have a key. */
static bool fold_original(struct transaction *transaction, const struct address *address,
			  struct bytes *out_key)
{
	const struct table_rules *rules = table_rules(transaction->snapshot->table);
	struct bytes local;
	struct bytes domain = rules->origin;
	enum fold_outcome outcome = fold_local(address->local, &transaction->scratch, &local);

	if (outcome == FOLD_OK && address->domain.size > 0)
		outcome = fold_domain(address->domain, &transaction->scratch, &domain);
	if (outcome == FOLD_OK)
		return join(&transaction->arena, local, '@', domain, out_key);
	*out_key = bytes_make(NULL, 0);
	return outcome == FOLD_INVALID;
}

static bool has_room(const struct transaction *transaction, size_t more)
{
	return transaction->finals.count + transaction->untracked + more <=
	       transaction->snapshot->policy.message_recipients;
}

/* An original that stays in the envelope. */
static enum keeping keep_unchanged(struct transaction *transaction, const struct address_path *path)
{
	struct bytes key;
	struct final *final;

	if (!fold_original(transaction, &path->address, &key))
		return KEEPING_NO_MEMORY;
	final = key.size == 0 ? NULL : (struct final *)keyset_find(&transaction->finals, key);
	if (final != NULL && (final->address == NULL || transaction_merges(transaction))) {
		final->is_kept = true;
		return KEEPING_DONE;
	}
	if (!has_room(transaction, 1))
		return KEEPING_TOO_MANY;
	if (key.size == 0 || final != NULL) {
		transaction->untracked++;
		return KEEPING_DONE;
	}
	final = arena_alloc(&transaction->arena, sizeof(*final));
	if (final == NULL || !keyset_reserve(&transaction->finals, 1))
		return KEEPING_NO_MEMORY;
	*final = (struct final){ .entry.key = key, .is_kept = true };
	keyset_insert(&transaction->finals, &final->entry);
	return KEEPING_DONE;
}

static bool have_same_parameters(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

/*
 * Who is in the envelope already under KEY, and is all that PARAMETERS want; *out_final is NULL if
 * there is nobody. Without merging, a recipient with other parameters is another one, and *KEY
 * becomes its own; but an original that is its own target just stays. False: no memory.
 */
static bool find_final(struct transaction *transaction, const struct original *original,
		       const char *parameters, struct bytes *key, struct final **out_final)
{
	struct final *final = (struct final *)keyset_find(&transaction->finals, *key);

	if (final != NULL && !transaction_merges(transaction) && parameters != NULL &&
	    !bytes_equal(*key, original->folded) &&
	    (final->address == NULL || !have_same_parameters(final->parameters, parameters))) {
		if (!join(&transaction->scratch, *key, '\0', bytes_of(parameters), key))
			return false;
		final = (struct final *)keyset_find(&transaction->finals, *key);
	}
	*out_final = final;
	return true;
}

/* A recipient that the message doesn't have yet. */
static enum keeping make_final(struct transaction *transaction, const struct original *original,
			       const struct address *address, const char *parameters,
			       struct final **out_final, struct bytes key)
{
	struct final *final = arena_alloc(&transaction->arena, sizeof(*final));
	enum keeping keeping;

	if (final == NULL)
		return KEEPING_NO_MEMORY;
	*final = (struct final){
		.parameters = parameters,
		.is_kept = !transaction_merges(transaction) && bytes_equal(key, original->folded),
	};
	keeping = transaction_print_target(transaction, address, &final->address);
	if (keeping == KEEPING_DONE && !arena_copy(&transaction->arena, key, &final->entry.key))
		keeping = KEEPING_NO_MEMORY;
	*out_final = final;
	return keeping;
}

/* What a resolution brings: those who are new, in scratch memory, not in the envelope yet. */
struct arrivals {
	struct final **finals;
	size_t count;
};

/* One target of ORIGINAL: somebody new, or somebody who is there. */
static enum keeping add_arrival(struct transaction *transaction, struct original *original,
				const struct recipient *recipient, const char *parameters,
				struct arrivals *arrivals)
{
	enum keeping keeping;
	struct final *final;
	struct bytes key;

	if (!join(&transaction->scratch, recipient->key_local, '@', recipient->address.domain,
		  &key))
		return KEEPING_NO_MEMORY;
	/* One that comes back to us can't be among its own targets. */
	if (transaction->facts.is_reinjected && bytes_equal(key, original->folded))
		return KEEPING_DONE;
	if (!find_final(transaction, original, parameters, &key, &final))
		return KEEPING_NO_MEMORY;
	if (final == NULL) {
		keeping = make_final(transaction, original, &recipient->address, parameters, &final,
				     key);
		if (keeping != KEEPING_DONE)
			return keeping;
		arrivals->finals[arrivals->count++] = final;
	}
	if (original->target_count < ORIGINAL_TARGETS)
		original->targets[original->target_count] = final;
	original->target_count++;
	return KEEPING_DONE;
}

static enum keeping make_arrivals(struct transaction *transaction, struct original *original,
				  const struct resolution *resolution, const char *parameters,
				  struct arrivals *arrivals)
{
	size_t most = resolution->recipient_count;
	enum keeping keeping = KEEPING_DONE;

	arrivals->count = 0;
	arrivals->finals = arena_alloc(&transaction->scratch, most * sizeof(*arrivals->finals));
	if (arrivals->finals == NULL)
		return KEEPING_NO_MEMORY;
	for (size_t i = 0; i < most && keeping == KEEPING_DONE; i++)
		keeping = add_arrival(transaction, original, &resolution->recipients[i], parameters,
				      arrivals);
	return keeping;
}

/* All of them are counted before any goes in. */
static enum keeping insert_arrivals(struct transaction *transaction,
				    const struct arrivals *arrivals)
{
	struct keyset *finals = &transaction->finals;

	if (!has_room(transaction, arrivals->count))
		return KEEPING_TOO_MANY;
	if (!keyset_reserve(finals, arrivals->count))
		return KEEPING_NO_MEMORY;
	for (size_t i = 0; i < arrivals->count; i++)
		if (keyset_find(finals, arrivals->finals[i]->entry.key) == NULL)
			keyset_insert(finals, &arrivals->finals[i]->entry);
	return KEEPING_DONE;
}

/* The targets take the place of ORIGINAL. */
static enum keeping replace(struct transaction *transaction, const struct address_path *path,
			    struct original *original, const struct resolution *resolution,
			    char *const *parameters)
{
	const char *dsn;
	struct arrivals arrivals;
	enum keeping keeping;

	keeping = transaction_print_parameters(transaction, path, parameters,
					       resolution->recipient_count == 1, &dsn);
	if (keeping == KEEPING_DONE)
		keeping = make_arrivals(transaction, original, resolution, dsn, &arrivals);
	if (keeping != KEEPING_DONE)
		return keeping;
	if (original->target_count == 0)
		return KEEPING_CIRCULAR;
	return insert_arrivals(transaction, &arrivals);
}

/* The text that deletes an original, unless an earlier one has the same. */
static enum keeping make_delete_text(struct transaction *transaction,
				     const struct address_path *path, struct original *original)
{
	enum keeping keeping;

	buffer_clear(&transaction->text);
	(void)buffer_append_byte(&transaction->text,
				 '<'); /* transaction_keep_text() sees a failure */
	(void)buffer_append(&transaction->text, path->text);
	(void)buffer_append_byte(&transaction->text, '>');
	keeping = transaction_keep_text(transaction, &original->entry.key.data);
	if (keeping != KEEPING_DONE)
		return keeping;
	if (!keyset_reserve(&transaction->texts, 1))
		return KEEPING_NO_MEMORY;
	original->entry.key.size = transaction->text.size;
	original->is_deleted = keyset_find(&transaction->texts, original->entry.key) == NULL;
	return KEEPING_DONE;
}

/* With room for as many targets as the log shows; NULL: no memory. */
static struct original *make_original(struct transaction *transaction,
				      const struct resolution *resolution)
{
	size_t shown = resolution->recipient_count < ORIGINAL_TARGETS ? resolution->recipient_count
								      : ORIGINAL_TARGETS;
	struct original *original;

	original = arena_alloc(&transaction->arena,
			       sizeof(*original) + shown * sizeof(original->targets[0]));
	if (original != NULL)
		*original = (struct original){ .source = resolution->entry };
	return original;
}

/* An original that is replaced by its targets, or dropped. */
static enum keeping keep_changed(struct transaction *transaction, const struct address_path *path,
				 const struct resolution *resolution, char *const *parameters)
{
	bool is_replaced = resolution->verdict == VERDICT_EXPAND;
	struct original *original = make_original(transaction, resolution);
	enum keeping keeping = KEEPING_DONE;

	if (original == NULL)
		return KEEPING_NO_MEMORY;
	if (!fold_original(transaction, &path->address, &original->folded))
		return KEEPING_NO_MEMORY;
	keeping = make_delete_text(transaction, path, original);
	if (keeping == KEEPING_DONE && is_replaced)
		keeping = replace(transaction, path, original, resolution, parameters);
	if (keeping != KEEPING_DONE)
		return keeping;
	if (original->is_deleted)
		keyset_insert(&transaction->texts, &original->entry);
	*transaction->end = original;
	transaction->end = &original->next;
	transaction->has_replaced |= is_replaced;
	return KEEPING_DONE;
}

static enum reason reason_of(enum keeping keeping)
{
	switch (keeping) {
	case KEEPING_TOO_MANY:
		return REASON_LIMIT;
	case KEEPING_CIRCULAR:
		return REASON_LOOP;
	case KEEPING_UNPRINTABLE:
		return REASON_UNPRINTABLE;
	case KEEPING_NO_MEMORY:
	case KEEPING_DONE:
		break;
	}
	return REASON_MEMORY;
}

/* What can't be kept is put off, since none of it is the client's fault for good. */
static struct judgement judge_unkept(const struct transaction *transaction, enum keeping keeping)
{
	size_t most = transaction->snapshot->policy.message_recipients;
	struct judgement judgement = policy_put_off(&transaction->facts, reason_of(keeping));

	if (keeping == KEEPING_TOO_MANY) {
		judgement.detail.limit = LIMIT_MESSAGE_RECIPIENTS;
		judgement.detail.found = most + 1;
		judgement.detail.allowed = most;
	}
	return judgement;
}

static void make_reply(struct transaction *transaction, struct bytes shown, enum keeping keeping,
		       struct decision *decision)
{
	const struct bytes *address = transaction->facts.mta->names_recipient ? NULL : &shown;

	if (keeping != KEEPING_TOO_MANY ||
	    !reply_make("452", "4.5.3", address, "Too many recipients", &transaction->scratch,
			&decision->reply))
		policy_reply(&transaction->snapshot->policy, &transaction->facts,
			     &decision->judgement, shown, &transaction->scratch, &decision->reply);
}

static enum keeping keep(struct transaction *transaction, const struct address_path *path,
			 const struct resolution *resolution, char *const *parameters,
			 enum policy_action action)
{
	switch (action) {
	case POLICY_LEAVE:
		return keep_unchanged(transaction, path);
	case POLICY_REPLACE:
	case POLICY_DROP:
		return keep_changed(transaction, path, resolution, parameters);
	case POLICY_REFUSE:
	case POLICY_PUT_OFF:
		break;
	}
	return KEEPING_DONE;
}

/* May a target have a local part that isn't ASCII? Without SMTPUTF8 Postfix sends one as it is. */
static bool takes_any_letters(const struct transaction *transaction)
{
	return transaction->facts.has_smtputf8 ||
	       (!transaction->snapshot->policy.is_smtputf8_strict &&
		!transaction->facts.mta->needs_smtputf8);
}

/* Which of the counters of deferrals REASON is one of. */
static enum counter deferral_of(enum reason reason)
{
	switch (reason) {
	case REASON_LOOP:
		return COUNTER_DEFERRALS_LOOP;
	case REASON_LIMIT:
		return COUNTER_DEFERRALS_LIMIT;
	case REASON_TEMPLATE:
	case REASON_PATTERN:
		return COUNTER_DEFERRALS_PATTERN;
	case REASON_DEAD_END:
		return COUNTER_DEFERRALS_DEAD_END;
	case REASON_MEMORY:
		return COUNTER_DEFERRALS_MEMORY;
	case REASON_NONE:
	case REASON_BROKEN:
	case REASON_UNPRINTABLE:
	case REASON_BAD_ADDRESS:
	case REASON_ROUTING:
	case REASON_NEEDS_SMTPUTF8:
		break;
	}
	return COUNTER_DEFERRALS_DAMAGE;
}

static void count(const struct judgement *judgement)
{
	counter_add(COUNTER_RECIPIENTS_FOREIGN + (enum counter)judgement->verdict, 1);
	if (judgement->verdict == VERDICT_DEFER)
		counter_add(deferral_of(judgement->reason), 1);
}

void transaction_recipient(struct transaction *transaction, const char *text,
			   char *const *parameters, struct decision *out_decision)
{
	struct resolve_options options = {
		.limits = &transaction->snapshot->policy.limits,
		.has_smtputf8 = takes_any_letters(transaction),
	};
	struct judgement *judgement = &out_decision->judgement;
	struct address_path path = { .was_rewritten = false };
	int64_t began_us = clock_microseconds();
	struct resolution resolution;
	enum keeping keeping;
	struct trace trace;

	arena_clear(&transaction->scratch);
	trace_begin(&trace, transaction->snapshot->table, bytes_of(text), &options);
	resolve(transaction->snapshot->table, &options, bytes_of(text), &transaction->scratch,
		&path, &resolution);
	trace_end(&trace, &resolution);
	counters_observe(HISTOGRAM_RESOLVE, (uint64_t)(clock_microseconds() - began_us));
	if (resolution.verdict == VERDICT_EXPAND)
		counters_observe(HISTOGRAM_EXPANDED, resolution.recipient_count);
	*out_decision = (struct decision){
		.judgement = policy_decide(&transaction->facts, &resolution),
		.text = bytes_of(text),
	};
	keeping = keep(transaction, &path, &resolution, parameters, judgement->action);
	if (keeping != KEEPING_DONE)
		*judgement = judge_unkept(transaction, keeping);
	count(judgement);
	transaction->put_off += judgement->action == POLICY_PUT_OFF;
	if (judgement->action == POLICY_REFUSE || judgement->action == POLICY_PUT_OFF)
		make_reply(transaction,
			   answer_address(&path, bytes_of(text), &transaction->scratch), keeping,
			   out_decision);
}
