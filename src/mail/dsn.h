/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dsn - the NOTIFY and ORCPT parameters of RFC 3461, and what an alias passes on to its targets.
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"

enum dsn_notify {
	DSN_NOTIFY_ABSENT = 0,
	DSN_NOTIFY_NEVER = 1,
	DSN_NOTIFY_SUCCESS = 2,
	DSN_NOTIFY_FAILURE = 4,
	DSN_NOTIFY_DELAY = 8,
};

struct dsn {
	unsigned notify;    /* of enum dsn_notify, or-ed */
	struct bytes orcpt; /* `type;xtext` as the client sent it; empty: not given */
};

/*
 * Take one ESMTP parameter (`NOTIFY=…`, `ORCPT=…`, any case) into DSN; others are left alone. One
 * that isn't well-formed, or comes twice, is ignored and the result is false: what isn't valid is
 * never passed on (Sendmail corrupts its own SMTP stream on one, measured). orcpt is a view into
 * PARAMETER.
 */
bool dsn_take_parameter(struct dsn *dsn, struct bytes parameter);

/* What an MTA supports for an internationalised ORCPT. */
enum dsn_utf8_form {
	DSN_UTF8_XTEXT, /* Postfix up to 3.11 decodes utf-8; as xtext: raw UTF-8 as xtext */
	DSN_UTF8_RAW,   /* RFC 6533: unitext */
};

/*
 * What NOTIFY a target gets. `native` as Postfix: SUCCESS removed (SUCCESS alone leaves NEVER),
 * everything else kept. Otherwise SUCCESS stays where the alias has exactly one target.
 */
unsigned dsn_notify_for_target(unsigned notify, bool is_only_target, bool is_native);

/*
 * Append `NOTIFY=… ORCPT=…` (either left out where there is nothing to say) for smfi_addrcpt_par().
 * The client's ORCPT stays as it is, but utf-8; for DSN_UTF8_XTEXT becomes xtext of what it means.
 * Without client ORCPT it is `rfc822;` and ORIGINAL as xtext; `utf-8;` where ORIGINAL isn't ASCII.
 * False: no room.
 */
bool dsn_print_parameters(unsigned notify, struct bytes orcpt, struct bytes original,
			  enum dsn_utf8_form form, struct buffer *out_text);

/* xtext of RFC 3461 section 4: `+` and `=` and bytes outside 33-126 become +HH. */
bool dsn_print_xtext(struct bytes text, struct buffer *out_text);
bool dsn_is_xtext(struct bytes text);

#endif
