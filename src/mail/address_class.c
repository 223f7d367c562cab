/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address_class.h"

enum {
	o = 0,
	A = CLASS_ATEXT,
	H = CLASS_ATEXT | CLASS_HOST,
	D = CLASS_DOT,
	S = CLASS_SPACE,
	N = CLASS_SPACE | CLASS_UNPRINTABLE,
	X = CLASS_UNPRINTABLE,
	U = CLASS_UTF8,
};

const unsigned char address_classes[256] = {
	X, o, o, o, o, o, o, o, o, S, N, S, S, N, o, o, /* 0x00 */
	o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, /* 0x10 */
	S, A, o, A, A, A, A, A, o, o, A, A, o, H, D, A, /* 0x20 */
	H, H, H, H, H, H, H, H, H, H, o, o, o, A, o, A, /* 0x30 */
	o, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 0x40 */
	H, H, H, H, H, H, H, H, H, H, H, o, o, o, A, H, /* 0x50 */
	A, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 0x60 */
	H, H, H, H, H, H, H, H, H, H, H, A, A, A, A, o, /* 0x70 */
	U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0x80 */
	U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0x90 */
	U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0xA0 */
	U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0xB0 */
	U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0xC0 */
	U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0xD0 */
	U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0xE0 */
	U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0xF0 */
};
