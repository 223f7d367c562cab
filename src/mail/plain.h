/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain - addresses that need no thought: `user@domain.example`, an ASCII dot-atom and a host name.
 * Nearly all of a large table, of what clients send, and of what is asked in bulk.
 *
 * One table says what a byte may be, for all who are in a hurry; what isn't plain goes the thorough
 * way (address.h), which decides the same for these. Views into the text. Thread-safe.
 */
#ifndef MAIL_PLAIN_H
#define MAIL_PLAIN_H

#include <stddef.h>

#include "base/bytes.h"

enum { PLAIN_DOMAIN_MAX = 63 }; /* so that no label can be longer */

struct plain_address {
	struct bytes local;
	struct bytes domain;
	bool has_upper;      /* in the local part */
	bool is_last_domain; /* the domain is the one before, see plain_address() */
};

/* Read one address at the begin of TEXT, its domain in lower case; its size, or 0: not plain. It
 * may end anywhere. LAST_DOMAIN is one that was plain before, or empty: the same again costs a
 * comparison. */
size_t plain_address(struct bytes text, struct bytes last_domain,
		     struct plain_address *out_address);

/* The size of a plain local part at the begin of TEXT, or 0. */
size_t plain_user(struct bytes text, bool *out_has_upper);

/* Is LOCAL made of such bytes, with single dots between them? Then it needs no quotes. */
bool plain_is_atoms(struct bytes local);

/* Is all of NAME a plain domain, in lower case? */
bool plain_is_domain(struct bytes name);

/* Where the word at the begin of TEXT ends: at white space, a comma, a byte over 127, or its end.
 */
size_t plain_word(struct bytes text);

/* Is TEXT `user@domain` or `@domain`, and in key form already (see fold.h)? Then it needs neither
 * parsing nor folding. */
bool plain_split_key(struct bytes text, struct bytes *out_local, struct bytes *out_domain);

/* Is TEXT `user@domain`, as a client says it: in any case, with or without a dot at its end (which
 * *out_domain hasn't)? */
bool plain_split_path(struct bytes text, struct bytes *out_local, struct bytes *out_domain);

#endif
