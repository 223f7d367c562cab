/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/session.h"

#include <stdlib.h>

#include "mail/reply.h"
#include "message/counters.h"
#include "milter/drain.h"
#include "service/log.h"

enum { REPLY_BYTES = 2 * REPLY_TEXT_MAX + 1 };

struct session *session_new(struct snapshot_store *store)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	transaction_init(&session->transaction, store);
	buffer_init(&session->reply, REPLY_BYTES);
	session->facts.mta = &session->mta;
	return session;
}

bool session_count(struct session *session, size_t most)
{
	if (session->is_counted)
		return true;
	session->is_counted = counters_begin_session(most);
	if (session->is_counted)
		return true;
	if (!session->is_told)
		log_line(SEVERITY_WARNING, "more than %zu sessions (max_sessions): deferred", most);
	session->is_told = true;
	return false;
}

bool session_begin_message(struct session *session)
{
	session->has_message = drain_begin_message();
	return session->has_message && transaction_begin(&session->transaction, &session->facts);
}

void session_end_message(struct session *session)
{
	transaction_end(&session->transaction);
	if (session->has_message)
		drain_end_message();
	session->has_message = false;
}

void session_free(struct session *session)
{
	if (session == NULL)
		return;
	session_end_message(session);
	transaction_free(&session->transaction);
	buffer_free(&session->reply);
	if (session->is_counted)
		counters_end_session();
	free(session);
}
