/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posix_regex - POSIX regular expressions, as the C library reads them, written as PCRE2 patterns.
 *
 * Extended and basic ones, with the GNU extensions (`\<`, `\w`, `\+`, …). What matches is the same,
 * and what groups hold, also those that are repeated and may match nothing; but for two cases:
 * where an alternation could match in several ways POSIX takes the longest and PCRE2 the first; and
 * of a group with a count in braces the C library makes copies that divide the text in ways of its
 * own.
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

enum { POSIX_GROUPS_MAX = 99 };

/* Which groups of the PCRE2 pattern are those of TEXT: it may have others in between. */
struct posix_groups {
	unsigned count;                         /* of TEXT, up to POSIX_GROUPS_MAX */
	unsigned numbers[POSIX_GROUPS_MAX + 1]; /* from 1 */
};

/* Append TEXT as a PCRE2 pattern. False, ERR (status 65): no regular expression. A full buffer
 * shows in out_text->has_failed alone. */
bool posix_regex_translate_groups(struct bytes text, bool is_extended, struct buffer *out_text,
				  struct posix_groups *out_groups, struct error *err);

/* The same for whoever doesn't ask for groups. */
bool posix_regex_translate(struct bytes text, bool is_extended, struct buffer *out_text,
			   struct error *err);

#endif
