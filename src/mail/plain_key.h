/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_key - a quick look at addresses of the usual kind, so that bulk commands spend their time
 * on look-ups. What isn't plain goes the long way, with the same result.
 */
#ifndef MAIL_PLAIN_KEY_H
#define MAIL_PLAIN_KEY_H

#include <stdbool.h>

#include "base/bytes.h"

/*
 * Is TEXT `local@domain` or `@domain`, in letters, digits, `.`, `-`, `_` and `+`, and in key form
 * already: lower case, no trailing dot? Then it needs neither parsing nor folding.
 */
bool plain_split_key(struct bytes text, struct bytes *out_local, struct bytes *out_domain);

/* Letters, digits, `-`, `_`, `+`, and single dots between them: never in need of quotes. */
bool plain_local(struct bytes local);

#endif
