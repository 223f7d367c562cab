/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer - the SMTP reply that goes with a resolution, word for word.
 *
 * The one place that knows the texts, so that `rcptmap resolve` shows what the client will see.
 */
#ifndef RESOLVE_ANSWER_H
#define RESOLVE_ANSWER_H

#include "mail/reply.h"
#include "resolve/resolve.h"

/* `unknown = { reply; text; }` of the settings, as a plain value. */
struct answer_texts {
	char unknown_code[4];                  /* "550" */
	char unknown_enhanced[12];             /* "5.1.1" */
	char unknown_text[REPLY_TEXT_MAX + 1]; /* "User unknown in virtual alias table" */
	/* Sendmail puts `<addr>... ` before a reply itself: leave our `<addr>: ` out. */
	bool omits_address;
};

/* From the two settings: REPLY is the codes. False: they make no reply, see ERR (status 78). */
bool answer_texts_init(struct answer_texts *texts, const char *reply, const char *text,
		       struct error *err);

/*
 * The address that a reply about PATH names: internal form, as Postfix has it. TEXT is what PATH
 * was parsed from, and is named itself, less its brackets, where nothing could be parsed. In ARENA,
 * or a view; where memory is short, as it was sent.
 */
struct bytes answer_address(const struct address_path *path, struct bytes text,
			    struct arena *arena);

/* Is such a recipient accepted? Then there is no reply, and nobody needs its address. */
bool answer_accepts(enum verdict verdict);

/*
 * Fill OUT_REPLY for a resolution that isn't accepted. ADDRESS is what answer_address() makes
 * of it. False where the resolution is accepted (foreign, deliver, expand, discard): no reply.
 * Where memory is short the reply is a constant `451 4.3.0 Temporary lookup failure`.
 */
bool answer_make(const struct resolution *resolution, const struct answer_texts *texts,
		 struct bytes address, struct arena *arena, struct reply *out_reply);

#endif
