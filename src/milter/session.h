/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session - what hangs on one MTA's connection.
 *
 * libmilter calls us on any of its threads, for one session never on two at once; so what a session
 * needs hangs on the session.
 */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "message/mta.h"
#include "message/snapshot.h"
#include "message/transaction.h"

enum { QUEUE_ID_BYTES = 256 }; /* a longer one is cut */

struct session {
	struct transaction transaction;
	struct buffer reply; /* with each % doubled */
	struct mta mta;
	struct message_facts facts;    /* of the message now open */
	char queue_id[QUEUE_ID_BYTES]; /* of the message that is being answered; empty: none */
	bool is_answering;             /* its transaction ends once the answer is out */
	bool takes_parameters;
	bool answers_mail;
	bool knows_mta;
	bool has_message; /* counted by drain.h */
	bool is_counted;  /* one of those we may have */
	bool is_told;     /* the log says that it is one too many */
};

/* One that answers from STORE; NULL: no memory. */
struct session *session_new(struct snapshot_store *store);

/* A message begins, whose facts are known. False: there is none; what is asked of it is put off. */
bool session_begin_message(struct session *session);

/* It is over; or there was none. */
void session_end_message(struct session *session);

/* End it, also in the middle of a message. Accepts NULL. */
void session_free(struct session *session);

/*
 * May it have a message, as one of MOST sessions of all workers? Sessions beyond the limit stay
 * connected, since libmilter can't turn them away; each of their messages tries anew, and the log
 * says it once.
 */
bool session_count(struct session *session, size_t most);

#endif
