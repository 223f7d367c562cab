/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address_class - what a byte may be part of in an address. Private to address*.c.
 */
#ifndef MAIL_ADDRESS_CLASS_H
#define MAIL_ADDRESS_CLASS_H

#include <stdbool.h>

enum address_class {
	CLASS_ATEXT = 1, /* atext of RFC 5321 */
	CLASS_DOT = 2,
	CLASS_HOST = 4,         /* letter, digit, `-`, `_` */
	CLASS_SPACE = 8,        /* space, TAB, CR, LF, VT, FF */
	CLASS_UTF8 = 16,        /* 128 and up: atext of RFC 6531 if it is UTF-8 */
	CLASS_UNPRINTABLE = 32, /* NUL, CR, LF: in no external form, not even quoted */
};

/* For each byte the enum address_class values that hold, or-ed. */
extern const unsigned char address_classes[256];

static inline bool address_is_class(char byte, unsigned classes)
{
	return (address_classes[(unsigned char)byte] & classes) != 0;
}

#endif
