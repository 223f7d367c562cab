/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/plain.h"

/*
 * What a byte may be. In a domain a dot beside a dot or a hyphen is wrong: two bits for the byte
 * and two for the one behind it say so, such that `class & before >> BESIDE_SHIFT` is 0 where it's
 * good.
 */
enum {
	DOT = 1,
	HYPHEN_OR_DOT = 2,
	BESIDE_SHIFT = 2,
	AFTER_HYPHEN = DOT << BESIDE_SHIFT,
	AFTER_DOT = HYPHEN_OR_DOT << BESIDE_SHIFT,
	LOCAL = 16,	/* in a local part */
	HOST = 32,	/* in a domain */
	LETTER = 64,
	UPPER = 128,
};

enum {
	LOCAL_MAX = 64,
	DOMAIN_MAX = 63,	/* so that no label can be longer */
};

#define LOWER LOCAL | HOST | LETTER
#define DIGIT LOCAL | HOST

static const unsigned char classes[256] = {
	['a'] = LOWER, ['b'] = LOWER, ['c'] = LOWER, ['d'] = LOWER, ['e'] = LOWER,
	['f'] = LOWER, ['g'] = LOWER, ['h'] = LOWER, ['i'] = LOWER, ['j'] = LOWER,
	['k'] = LOWER, ['l'] = LOWER, ['m'] = LOWER, ['n'] = LOWER, ['o'] = LOWER,
	['p'] = LOWER, ['q'] = LOWER, ['r'] = LOWER, ['s'] = LOWER, ['t'] = LOWER,
	['u'] = LOWER, ['v'] = LOWER, ['w'] = LOWER, ['x'] = LOWER, ['y'] = LOWER,
	['z'] = LOWER,
	['A'] = LOCAL | UPPER, ['B'] = LOCAL | UPPER, ['C'] = LOCAL | UPPER,
	['D'] = LOCAL | UPPER, ['E'] = LOCAL | UPPER, ['F'] = LOCAL | UPPER,
	['G'] = LOCAL | UPPER, ['H'] = LOCAL | UPPER, ['I'] = LOCAL | UPPER,
	['J'] = LOCAL | UPPER, ['K'] = LOCAL | UPPER, ['L'] = LOCAL | UPPER,
	['M'] = LOCAL | UPPER, ['N'] = LOCAL | UPPER, ['O'] = LOCAL | UPPER,
	['P'] = LOCAL | UPPER, ['Q'] = LOCAL | UPPER, ['R'] = LOCAL | UPPER,
	['S'] = LOCAL | UPPER, ['T'] = LOCAL | UPPER, ['U'] = LOCAL | UPPER,
	['V'] = LOCAL | UPPER, ['W'] = LOCAL | UPPER, ['X'] = LOCAL | UPPER,
	['Y'] = LOCAL | UPPER, ['Z'] = LOCAL | UPPER,
	['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT,
	['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
	['.'] = LOCAL | HOST | DOT | HYPHEN_OR_DOT | AFTER_DOT,
	['-'] = LOCAL | HOST | HYPHEN_OR_DOT | AFTER_HYPHEN, ['_'] = LOCAL, ['+'] = LOCAL,
	['='] = LOCAL, ['\''] = LOCAL, ['&'] = LOCAL, ['*'] = LOCAL, ['~'] = LOCAL,
};

static unsigned class_of(struct bytes text, size_t at)
{
	return classes[(unsigned char)text.data[at]];
}

/* The size of a local part at TEXT; 0: not plain. */
static size_t local_size(struct bytes text, unsigned *out_seen)
{
	unsigned before = 0;
	unsigned seen = 0;
	unsigned wrong = class_of(text, 0) & HYPHEN_OR_DOT;	/* neither may begin it */
	size_t i;

	for (i = 0; i < text.size; i++) {
		unsigned class = class_of(text, i);

		if ((class & LOCAL) == 0)
			break;
		wrong |= class & before & DOT;
		seen |= class;
		before = class;
	}
	*out_seen = seen;
	return wrong != 0 || i == 0 || i > LOCAL_MAX || (before & DOT) != 0 ? 0 : i;
}

/* The size of a domain at TEXT; 0: not plain. */
static size_t domain_size(struct bytes text)
{
	unsigned before = AFTER_DOT;
	unsigned seen = 0;
	unsigned wrong = 0;
	size_t i;

	for (i = 0; i < text.size; i++) {
		unsigned class = class_of(text, i);

		if ((class & HOST) == 0)
			break;
		wrong |= class & before >> BESIDE_SHIFT & (DOT | HYPHEN_OR_DOT);
		seen |= class;
		before = class;
	}
	/* A letter at the end: then the last label isn't all digits. */
	return wrong != 0 || (before & LETTER) == 0 || (seen & DOT) == 0 || i > DOMAIN_MAX ? 0 : i;
}

size_t plain_address(struct bytes text, struct plain_address *out_address)
{
	unsigned seen;
	size_t local = text.size == 0 ? 0 : local_size(text, &seen);
	struct bytes rest;
	size_t domain;

	if (local == 0 || local + 1 >= text.size || text.data[local] != '@')
		return 0;
	rest = bytes_skip(text, local + 1);
	domain = domain_size(rest);
	/* `@`, a capital, a quote behind it: not plain after all. */
	if (domain == 0)
		return 0;
	*out_address = (struct plain_address){
		.local = bytes_first(text, local),
		.domain = bytes_first(rest, domain),
		.has_upper = (seen & UPPER) != 0,
	};
	return local + 1 + domain;
}
