/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transaction - one message: recipients in, edits of the envelope out.
 *
 * Knows nothing of the milter protocol: text in, decisions and a list of edits out. Every string
 * that an edit needs is made when the recipient comes, so that the end of the message has little
 * left that can fail, and what can fail comes before the first edit. A recipient that doesn't fit
 * any more (memory, limits) is refused with a 4xx and leaves no trace; where none can be refused,
 * in a submission, it puts off the whole message.
 *
 * A struct transaction lives as long as the MTA's session and serves one message after the other
 * from the same memory. One thread at a time.
 */
#ifndef MESSAGE_TRANSACTION_H
#define MESSAGE_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/keyset.h"
#include "mail/reply.h"
#include "message/mta.h"
#include "message/policy.h"
#include "message/snapshot.h"
#include "resolve/resolve.h"

struct original;

struct transaction {
	struct snapshot_store *store;
	struct snapshot *snapshot; /* NULL: no message is open */
	struct message_facts facts;
	struct arena arena;     /* of the message */
	struct arena scratch;   /* of one recipient */
	struct buffer text;     /* what is being printed */
	struct keyset finals;   /* who the message goes to, by folded address */
	struct keyset texts;    /* of the originals that may have to be deleted */
	struct original *first; /* of the originals that don't stay as they are */
	struct original **end;
	size_t untracked;  /* accepted, but not in finals */
	size_t put_off;    /* recipients for which the whole message is put off */
	bool has_replaced; /* some original is replaced, not only dropped */
};

/* Good until the next recipient. */
struct decision {
	struct judgement judgement;
	struct reply reply; /* with POLICY_REFUSE and POLICY_PUT_OFF */
	struct bytes text;  /* the recipient as it was sent, for the log; the caller's */
};

enum edit_kind { EDIT_ADD, EDIT_DELETE };

/* Strings of the transaction. */
struct edit {
	enum edit_kind kind;
	const char *address;    /* in brackets */
	const char *parameters; /* of ESMTP, to go with EDIT_ADD; NULL: none */
};

enum transaction_outcome {
	TRANSACTION_UNCHANGED, /* nothing to edit */
	TRANSACTION_EDITED,    /* make all edits, in this order, or defer the message */
	TRANSACTION_DISCARDED, /* every recipient is one to be dropped */
	TRANSACTION_DEFERRED,  /* try again later: no memory, nobody would be left, or a recipient
				* has put it off */
};

/* Set up for a session; takes no memory yet. End it with transaction_free(). */
void transaction_init(struct transaction *transaction, struct snapshot_store *store);
void transaction_free(struct transaction *transaction);

/* A message begins; one that is still open ends. False: there is nothing to answer from. FACTS are
 * copied, but not the MTA they point to. */
bool transaction_begin(struct transaction *transaction, const struct message_facts *facts);
bool transaction_is_open(const struct transaction *transaction);

/* A recipient: TEXT as the client sent it, PARAMETERS its ESMTP parameters, ended by NULL. */
void transaction_recipient(struct transaction *transaction, const char *text,
			   char *const *parameters, struct decision *out_decision);

/*
 * Log what was said to a recipient that wasn't accepted, with its reason: each that is deferred,
 * and with `log_refusals` each that is refused. Before the next recipient.
 */
void transaction_log_refusal(struct transaction *transaction, const struct decision *decision);

/* Log why a recipient has put off the whole message: of the first few. Before the next recipient.
 */
void transaction_log_put_off(struct transaction *transaction, const struct decision *decision,
			     const char *queue_id);

/* All recipients are in. */
enum transaction_outcome transaction_finish(struct transaction *transaction,
					    const struct edit **out_edits, size_t *out_count);

/* Log that the whole message is put off: for its recipients, or for REASON, in our own words. */
void transaction_log_deferral(struct transaction *transaction, const char *queue_id,
			      const char *reason);

/* Log a line for each original that was replaced or dropped. QUEUE_ID is the MTA's, NULL where it
 * gave none. Before transaction_end(). */
void transaction_log(struct transaction *transaction, const char *queue_id);

/* The message is over, whatever became of it. Accepts one without a message. */
void transaction_end(struct transaction *transaction);

#endif
