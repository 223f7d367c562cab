/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reply - an SMTP reply: code, enhanced status code (RFC 3463, RFC 2034), text.
 *
 * A reply that reply_parse() or reply_make() accepted can be given to smfi_setreply() as it is:
 * class of code and enhanced code agree (Postfix drops the connection otherwise, measured), the
 * text has no CR, LF or control byte and at most REPLY_TEXT_MAX bytes.
 */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

enum { REPLY_TEXT_MAX = 490 }; /* RFC 5321 section 4.5.3.1.5: 512 bytes a line, with code */

struct reply {
	char code[4];      /* "550" */
	char enhanced[12]; /* "5.1.1" */
	struct bytes text;
	struct bytes words; /* the end of the text, behind an address */
};

/* Parse `550 5.1.1 text` or, with empty text, `550 5.1.1`; only 4xx and 5xx, not 421 (it would end
 * the session). The text is a view into LINE. A missing enhanced code becomes X.0.0. ERR (status
 * 65) names what is wrong. */
bool reply_parse(struct bytes line, struct reply *out_reply, struct error *err);

/*
 * A reply about an address: TEXT becomes `<ADDRESS>: TEXT`, the address in internal form as Postfix
 * prints it: `?` for control bytes and what isn't UTF-8, cut so that everything fits. ADDRESS may
 * be NULL. CODE and ENHANCED must be well-formed. The text is in ARENA; false: no memory.
 */
bool reply_make(const char *code, const char *enhanced, const struct bytes *address,
		const char *text, struct arena *arena, struct reply *out_reply);

/* Append `550 5.1.1 text`, as the client sees it. */
bool reply_print(const struct reply *reply, struct buffer *out_text);

/* Append TEXT with each `%` doubled: smfi_setreply() treats it as a format on the MTA's side. */
bool reply_escape_percent(struct bytes text, struct buffer *out_text);

#endif
