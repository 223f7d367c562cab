/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/plain.h"

#include "base/sixteen.h"

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
	LOCAL = 16, /* in a local part */
	HOST = 32,  /* in a domain */
	LETTER = 64,
	UPPER = 128,
};

enum { LOCAL_MAX = 64 };

#define LOWER LOCAL | HOST | LETTER
#define DIGIT LOCAL | HOST

static const unsigned char classes[256] = {
	['a'] = LOWER,
	['b'] = LOWER,
	['c'] = LOWER,
	['d'] = LOWER,
	['e'] = LOWER,
	['f'] = LOWER,
	['g'] = LOWER,
	['h'] = LOWER,
	['i'] = LOWER,
	['j'] = LOWER,
	['k'] = LOWER,
	['l'] = LOWER,
	['m'] = LOWER,
	['n'] = LOWER,
	['o'] = LOWER,
	['p'] = LOWER,
	['q'] = LOWER,
	['r'] = LOWER,
	['s'] = LOWER,
	['t'] = LOWER,
	['u'] = LOWER,
	['v'] = LOWER,
	['w'] = LOWER,
	['x'] = LOWER,
	['y'] = LOWER,
	['z'] = LOWER,
	['A'] = LOCAL | UPPER,
	['B'] = LOCAL | UPPER,
	['C'] = LOCAL | UPPER,
	['D'] = LOCAL | UPPER,
	['E'] = LOCAL | UPPER,
	['F'] = LOCAL | UPPER,
	['G'] = LOCAL | UPPER,
	['H'] = LOCAL | UPPER,
	['I'] = LOCAL | UPPER,
	['J'] = LOCAL | UPPER,
	['K'] = LOCAL | UPPER,
	['L'] = LOCAL | UPPER,
	['M'] = LOCAL | UPPER,
	['N'] = LOCAL | UPPER,
	['O'] = LOCAL | UPPER,
	['P'] = LOCAL | UPPER,
	['Q'] = LOCAL | UPPER,
	['R'] = LOCAL | UPPER,
	['S'] = LOCAL | UPPER,
	['T'] = LOCAL | UPPER,
	['U'] = LOCAL | UPPER,
	['V'] = LOCAL | UPPER,
	['W'] = LOCAL | UPPER,
	['X'] = LOCAL | UPPER,
	['Y'] = LOCAL | UPPER,
	['Z'] = LOCAL | UPPER,
	['0'] = DIGIT,
	['1'] = DIGIT,
	['2'] = DIGIT,
	['3'] = DIGIT,
	['4'] = DIGIT,
	['5'] = DIGIT,
	['6'] = DIGIT,
	['7'] = DIGIT,
	['8'] = DIGIT,
	['9'] = DIGIT,
	['.'] = LOCAL | HOST | DOT | HYPHEN_OR_DOT | AFTER_DOT,
	['-'] = LOCAL | HOST | HYPHEN_OR_DOT | AFTER_HYPHEN,
	['_'] = LOCAL,
	['+'] = LOCAL,
	['='] = LOCAL,
	['\''] = LOCAL,
	['&'] = LOCAL,
	['*'] = LOCAL,
	['~'] = LOCAL,
};

/*
 * The size of a local part at TEXT; 0: not plain. Not inline, as nothing else is that is rarely
 * called: what it needs the others would have to make room for.
 */
static __attribute__((noinline)) size_t local_size(const unsigned char *text,
						   const unsigned char *end, unsigned *out_seen)
{
	const unsigned char *next = text;
	unsigned class = classes[*next];
	unsigned wrong = class & HYPHEN_OR_DOT ? DOT : 0; /* neither may begin it */
	unsigned before = 0;
	unsigned seen = 0;

	while ((class & LOCAL) != 0) {
		wrong |= class & before; /* of interest is DOT: two in a row */
		seen |= class;
		before = class;
		if (++next == end)
			break;
		class = classes[*next];
	}
	*out_seen = seen;
	return ((wrong | before) & DOT) != 0 || next - text > LOCAL_MAX ? 0 : (size_t)(next - text);
}

/* The size of a domain at TEXT; 0: not plain. */
static __attribute__((noinline)) size_t domain_size(const unsigned char *text,
						    const unsigned char *end)
{
	const unsigned char *next = text;
	unsigned before = AFTER_DOT;
	unsigned seen = 0;
	unsigned wrong = 0;
	unsigned class;

	while (next < end && ((class = classes[*next]) & HOST) != 0) {
		wrong |= class & before >> BESIDE_SHIFT;
		seen |= class;
		before = class;
		next++;
	}
	/* A letter at the end: then the last label isn't all digits. */
	if ((wrong & (DOT | HYPHEN_OR_DOT)) != 0 || (before & LETTER) == 0 || (seen & DOT) == 0)
		return 0;
	return next - text > PLAIN_DOMAIN_MAX ? 0 : (size_t)(next - text);
}

/* Which of these are letters, digits, dots, `-`, `_` or `+`: nearly all there is in local parts. */
static uint32_t common_bits(struct sixteen these)
{
	struct sixteen letters = sixteen_between(sixteen_lower(these), 'a', 'z');
	struct sixteen digits = sixteen_between(these, '0', '9');
	struct sixteen others = sixteen_or(sixteen_equal(these, '_'), sixteen_equal(these, '+'));

	return sixteen_bits(sixteen_or(sixteen_or(letters, digits),
				       sixteen_or(others, sixteen_between(these, '-', '.'))));
}

static __attribute__((noinline)) size_t local_size_slowly(struct bytes text, bool *out_has_upper)
{
	const unsigned char *begin = (const unsigned char *)text.data;
	unsigned seen = 0;
	size_t size = text.size == 0 ? 0 : local_size(begin, begin + text.size, &seen);

	*out_has_upper = (seen & UPPER) != 0;
	return size;
}

/* In larger steps, where TEXT is long enough and has no rare bytes. */
size_t plain_user(struct bytes text, bool *out_has_upper)
{
	size_t size = 0;
	uint32_t run = SIXTEEN;
	uint32_t wrong = 0; /* the second of two dots */
	uint32_t dots = 0;  /* bit 0 is of the byte before these */
	uint32_t upper = 0;

	while (run == SIXTEEN) {
		struct sixteen these;
		uint32_t among;

		if (text.size - size < SIXTEEN)
			return local_size_slowly(text, out_has_upper);
		these = sixteen_load(text.data + size);
		run = sixteen_first(~common_bits(these)); /* 16 where all are */
		among = (UINT32_C(1) << run) - 1;
		upper |= sixteen_bits(sixteen_between(these, 'A', 'Z')) & among;
		dots = (sixteen_bits(sixteen_equal(these, '.')) & among) << 1 |
		       (dots >> SIXTEEN & 1);
		wrong |= dots & dots >> 1;
		size += run;
	}
	if ((classes[(unsigned char)text.data[size]] & LOCAL) != 0)
		return local_size_slowly(text, out_has_upper);
	*out_has_upper = upper != 0;
	/* Nor does one stand at its end, nor one or a hyphen at its begin. */
	wrong |= dots >> run & 1;
	if (wrong != 0 || size > LOCAL_MAX || text.data[0] == '.' || text.data[0] == '-')
		return 0;
	return size;
}

bool plain_is_domain(struct bytes name)
{
	const unsigned char *begin = (const unsigned char *)name.data;

	return name.size > 0 && domain_size(begin, begin + name.size) == name.size;
}

/* Which of these end a word? */
static uint32_t end_bits(struct sixteen these)
{
	return sixteen_bits(sixteen_or(
		sixteen_equal(these, ','),
		sixteen_or(sixteen_between(these, 0, ' '), sixteen_between(these, 0x80, 0xff))));
}

static bool ends_word(unsigned char byte)
{
	return byte <= ' ' || byte >= 0x80 || byte == ',';
}

size_t plain_word(struct bytes text)
{
	size_t at = 0;
	uint32_t ends;

	for (; text.size - at >= SIXTEEN; at += SIXTEEN) {
		ends = end_bits(sixteen_load(text.data + at));
		if (ends != 0)
			return at + sixteen_first(ends);
	}
	if (at > 0 && at < text.size) {
		/* What is left, at the end of sixteen that were seen in part. */
		ends = end_bits(sixteen_load(text.data + text.size - SIXTEEN)) >>
		       (SIXTEEN - (text.size - at));
		return ends == 0 ? text.size : at + sixteen_first(ends);
	}
	while (at < text.size && !ends_word((unsigned char)text.data[at]))
		at++;
	return at;
}

/* The last one again, and at its end no byte that would go on with it? */
static bool is_again(struct bytes text, struct bytes last)
{
	return last.size > 0 && text.size > last.size &&
	       bytes_same(text.data, last.data, last.size) &&
	       (classes[(unsigned char)text.data[last.size]] & HOST) == 0;
}

size_t plain_address(struct bytes text, struct bytes last_domain, struct plain_address *out_address)
{
	size_t local = plain_user(text, &out_address->has_upper);
	const char *host = text.data + local + 1;
	size_t left = text.size - local - 1;
	size_t domain = last_domain.size;

	if (local == 0 || local + 1 >= text.size || host[-1] != '@')
		return 0;
	out_address->is_last_domain = is_again(bytes_make(host, left), last_domain);
	/* A capital or a quote behind the domain: its reader sees that it ends in nothing good. */
	if (!out_address->is_last_domain)
		domain = domain_size((const unsigned char *)host,
				     (const unsigned char *)host + left);
	if (domain == 0)
		return 0;
	out_address->local = bytes_make(text.data, local);
	out_address->domain = bytes_make(host, domain);
	return local + 1 + domain;
}
