/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mta - what differs between MTAs, as named facts; and what one message brings with it.
 *
 * Whoever reads these structs never asks which MTA it is. Measured on Postfix 3.7 and 3.11 and
 * Sendmail 8.17.
 */
#ifndef MESSAGE_MTA_H
#define MESSAGE_MTA_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/dsn.h"

/* Of one session. */
struct mta {
	/* It puts `<addr>... ` in front of a reply itself; Sendmail not in front of 451, 452,
	 * 551. */
	bool names_recipient;
	/* A queue ID at MAIL means that the message didn't come by SMTP. */
	bool has_early_queue_id;
	/* It takes NOTIFY and ORCPT with an added recipient. */
	bool takes_parameters;
	/* ... for sure only where a client gave some: a Sendmail that is told to do without DSN
	 * (PrivacyOptions=noreceipts) leaves the recipient out, and tells nobody. */
	bool needs_client_dsn;
	/* The longest recipient, with its brackets, that can be added; 0: no limit is known. A
	 * longer one Sendmail leaves out, and writes debugging text to the client. */
	size_t longest_path;
	/* A recipient that isn't ASCII can be added only in a message with SMTPUTF8. Sendmail loses
	 * one that has a byte from 0x80 to 0x9f in it, and says 250. */
	bool needs_smtputf8;
	enum dsn_utf8_form utf8_form;
};

/* Of one message. */
struct message_facts {
	const struct mta *mta;
	/* Came by sendmail(1), or is a bounce: no recipient can be refused or deferred by itself,
	 * since any such answer holds up the whole message, and every other one for ever. */
	bool is_submission;
	/* Comes back from the MTA itself, for what it would have delivered unexpanded: an address
	 * left as it is would come again and again. */
	bool is_reinjected;
	bool has_smtputf8;
};

/* VERSION is the macro `v`, NULL where the MTA doesn't tell. */
void mta_init(struct mta *mta, const char *version, bool takes_parameters);

/* Did the message come by SMTP? QUEUE_ID and MAILER are the macros `i` and `{mail_mailer}` at
 * MAIL, NULL where absent. */
bool mta_is_submission(const struct mta *mta, const char *queue_id, const char *mailer);

/* DAEMON is the macro `{daemon_name}`. */
bool mta_is_reinjection(const char *daemon);

#endif
