/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * characters - the ranges of Unicode that deceive or do harm where an address is shown.
 * Thread-safe.
 */
#ifndef MAIL_CHARACTERS_H
#define MAIL_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* U+202A-202E, U+2066-2069: they change the direction of what stands around them, so that one
 * address looks like another. */
static inline bool character_is_bidi_control(uint32_t character)
{
	return (character >= 0x202A && character <= 0x202E) ||
	       (character >= 0x2066 && character <= 0x2069);
}

/*
 * How many bytes the character at the begin of TEXT, which isn't empty, has; 0: it may not be shown
 * on a terminal or in a log. Those are controls, of ASCII, C1 and bidi, and what is no UTF-8.
 */
size_t character_shown_size(struct bytes text);

/* Put `?` in place of each byte of TEXT that may not be shown, so that it is UTF-8, and as long. */
void characters_mask(char *text);

/*
 * The first character of TEXT that nobody sees, or takes for a blank, as `U+00A0 (no-break space)`;
 * NULL: none. With *out_may_be_meant some alphabets need it between letters.
 */
const char *character_unseen(struct bytes text, bool *out_may_be_meant);

#endif
