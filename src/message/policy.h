/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - from the verdict about a recipient to what is done with it and what the client is told.
 *
 * The decision is a row of a table for each verdict. A policy never changes once it is made; any
 * number of threads may read it.
 */
#ifndef MESSAGE_POLICY_H
#define MESSAGE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "mail/reply.h"
#include "message/mta.h"
#include "resolve/answer.h"
#include "resolve/resolve.h"
#include "settings/settings.h"

/* What the settings say about answers, as a plain value. */
struct policy {
	struct resolve_limits limits;
	size_t message_recipients;
	bool merges_duplicates;
	bool is_dsn_success_native;
	bool is_smtputf8_strict; /* whose target isn't ASCII is refused without SMTPUTF8 */
	bool logs_refusals;
	struct answer_texts texts; /* whether an address goes with them is the MTA's */
};

enum policy_action {
	POLICY_LEAVE,   /* accepted; stays in the envelope as it is */
	POLICY_REPLACE, /* accepted; its targets take its place at the end */
	POLICY_DROP,    /* accepted; taken out at the end */
	POLICY_REFUSE,  /* not accepted, see the reply; may be a 4xx */
	POLICY_PUT_OFF, /* accepted, and the whole message is put off at its end */
};

/* False where the settings contradict the rules of SMTP, see ERR (status 78). */
bool policy_init(struct policy *policy, const struct settings *settings, struct error *err);

/* What is done about one recipient, and why. */
struct judgement {
	enum policy_action action;
	enum verdict verdict;
	enum reason reason;
	struct reason_detail detail;
	struct bytes reply; /* of an entry that refuses: `550 5.2.1 text`, a view */
};

/*
 * What to do about a recipient. The verdict is that of RESOLUTION, or a doubt: where leaving the
 * recipient in the envelope would bounce it or send it round in circles.
 */
struct judgement policy_decide(const struct message_facts *facts,
			       const struct resolution *resolution);

/* The same for one that can't be kept, for REASON. It is nobody's fault for good. */
struct judgement policy_put_off(const struct message_facts *facts, enum reason reason);

/* The reply for POLICY_REFUSE; for POLICY_PUT_OFF the one that a client would get. ADDRESS is in
 * internal form, as received; the text is in ARENA. */
void policy_reply(const struct policy *policy, const struct message_facts *facts,
		  const struct judgement *judgement, struct bytes address, struct arena *arena,
		  struct reply *out_reply);

#endif
