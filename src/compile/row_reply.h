/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_reply - what stands behind `error:` in a right-hand side.
 *
 *   5.2.1:550 Mailbox disabled       enhanced code, code, text
 *   550 5.2.1 Mailbox disabled       code, perhaps an enhanced code, text
 *   nouser User unknown              a keyword of Sendmail's error mailer, perhaps with codes
 *   Mailbox disabled                 text alone: 550 5.0.0
 */
#ifndef COMPILE_ROW_REPLY_H
#define COMPILE_ROW_REPLY_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

/* What a lenient table answers for a key whose right-hand side can't be used: nobody is refused for
 * a mistake of ours. */
#define ROW_REPLY_UNUSABLE "451 4.3.5 The alias table has a mistake here"

/* OUT_REPLY is `550 5.2.1 text`, in ARENA. ERR (status 65) where code and class don't agree … */
bool row_reply_parse(struct bytes value, struct arena *arena, struct bytes *out_reply,
		     struct error *err);

#endif
