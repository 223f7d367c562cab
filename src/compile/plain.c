/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/plain.h"

enum {
	LOCAL = 1,	/* in a local part */
	UPPER = 2,
	DOT = 4,
	LABEL = 8,	/* in a label of a domain, at its edges too */
	HYPHEN = 16,
	LETTER = 32,
};

enum {
	LOCAL_MAX = 64,
	DOMAIN_MAX = 63,	/* so that no label can be longer */
};

#define LOWER LOCAL | LABEL | LETTER
#define DIGIT LOCAL | LABEL

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
	['.'] = LOCAL | DOT, ['-'] = LOCAL | HYPHEN, ['_'] = LOCAL, ['+'] = LOCAL,
	['='] = LOCAL, ['\''] = LOCAL, ['&'] = LOCAL, ['*'] = LOCAL, ['~'] = LOCAL,
};

/* The size of a local part at TEXT; 0: not plain. */
static size_t local_size(struct bytes text, unsigned *out_seen)
{
	unsigned before = DOT | HYPHEN;	/* neither may begin it */
	unsigned seen = 0;
	unsigned wrong = 0;
	size_t i;

	for (i = 0; i < text.size; i++) {
		unsigned class = classes[(unsigned char)text.data[i]];

		if ((class & LOCAL) == 0)
			break;
		wrong |= class & before & (i == 0 ? DOT | HYPHEN : DOT);
		seen |= class;
		before = class;
	}
	*out_seen = seen;
	return wrong != 0 || (before & DOT) != 0 || i > LOCAL_MAX ? 0 : i;
}

/* The size of a domain at TEXT; 0: not plain. */
static size_t domain_size(struct bytes text)
{
	unsigned before = DOT;
	unsigned seen = 0;
	unsigned wrong = 0;
	size_t i;

	for (i = 0; i < text.size; i++) {
		unsigned class = classes[(unsigned char)text.data[i]];

		if ((class & (LABEL | DOT | HYPHEN)) == 0)
			break;
		/* A dot beside a dot or a hyphen. */
		wrong |= ((class | before) & DOT) != 0 && ((class | before) & LABEL) == 0;
		seen |= class;
		before = class;
	}
	/* A letter at the end: then the last label isn't all digits. */
	return wrong != 0 || (before & LETTER) == 0 || (seen & DOT) == 0 || i > DOMAIN_MAX ? 0 : i;
}

size_t plain_address(struct bytes text, struct plain_address *out_address)
{
	unsigned seen;
	size_t local = local_size(text, &seen);
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
