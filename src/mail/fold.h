/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fold - the one form in which addresses are compared.
 *
 * A local part: full Unicode case folding and NFC (U+0130 becomes i and U+0307, as in Postfix with
 * smtputf8_enable; a final sigma is a sigma). A domain: its IDNA2008 A-label, mapped by UTS 46
 * without transitional processing, as in Postfix; an ASCII domain, and a literal, is only made
 * lower case, whatever is in it. ASCII goes a fast way that allocates nothing if it is folded
 * already. Thread-safe.
 */
#ifndef MAIL_FOLD_H
#define MAIL_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"

/* No key is longer than this. A longer text may still have a key that is short enough. */
enum { FOLD_KEY_BYTES_MAX = 255 };

enum fold_outcome {
	FOLD_OK,
	FOLD_INVALID, /* can't be part of a key: bytes 0-31 or 127, invalid UTF-8, bidi
		       * controls U+202A-202E and U+2066-2069, a key over 255 bytes; in a domain
		       * also a space, or where it isn't ASCII, what IDNA doesn't know */
	FOLD_NO_MEMORY,
};

/* OUT_KEY points to LOCAL itself where that is folded already, else into ARENA. */
enum fold_outcome fold_local(struct bytes local, struct arena *arena, struct bytes *out_key);

/* The same for a domain; one trailing dot is dropped. An empty domain stays empty. */
enum fold_outcome fold_domain(struct bytes domain, struct arena *arena, struct bytes *out_key);

/* No byte or character in it that FOLD_INVALID names? */
bool fold_accepts(struct bytes text);

/* The domain KEY as people write it, in U-labels if it has any. False: no memory. */
bool fold_domain_show(struct bytes key, struct arena *arena, struct bytes *out_shown);

/*
 * How long the domain KEY is as people write it: in U-labels, where they are shorter. Limits count
 * this, since Postfix counts what stands in the table. False: no memory.
 */
bool fold_domain_shown_bytes(struct bytes key, size_t *out_size);

#endif
