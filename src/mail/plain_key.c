/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/plain_key.h"

enum {
	KEY = 1,  /* stays as it is in a key */
	ATOM = 2, /* needs no quotes */
};

#define BOTH (KEY | ATOM)

static const unsigned char classes[256] = {
	['a'] = BOTH, ['b'] = BOTH, ['c'] = BOTH, ['d'] = BOTH, ['e'] = BOTH, ['f'] = BOTH,
	['g'] = BOTH, ['h'] = BOTH, ['i'] = BOTH, ['j'] = BOTH, ['k'] = BOTH, ['l'] = BOTH,
	['m'] = BOTH, ['n'] = BOTH, ['o'] = BOTH, ['p'] = BOTH, ['q'] = BOTH, ['r'] = BOTH,
	['s'] = BOTH, ['t'] = BOTH, ['u'] = BOTH, ['v'] = BOTH, ['w'] = BOTH, ['x'] = BOTH,
	['y'] = BOTH, ['z'] = BOTH, ['0'] = BOTH, ['1'] = BOTH, ['2'] = BOTH, ['3'] = BOTH,
	['4'] = BOTH, ['5'] = BOTH, ['6'] = BOTH, ['7'] = BOTH, ['8'] = BOTH, ['9'] = BOTH,
	['-'] = BOTH, ['_'] = BOTH, ['+'] = BOTH, ['.'] = KEY,  ['A'] = ATOM, ['B'] = ATOM,
	['C'] = ATOM, ['D'] = ATOM, ['E'] = ATOM, ['F'] = ATOM, ['G'] = ATOM, ['H'] = ATOM,
	['I'] = ATOM, ['J'] = ATOM, ['K'] = ATOM, ['L'] = ATOM, ['M'] = ATOM, ['N'] = ATOM,
	['O'] = ATOM, ['P'] = ATOM, ['Q'] = ATOM, ['R'] = ATOM, ['S'] = ATOM, ['T'] = ATOM,
	['U'] = ATOM, ['V'] = ATOM, ['W'] = ATOM, ['X'] = ATOM, ['Y'] = ATOM, ['Z'] = ATOM,
};

/* How many bytes from BEGIN on are of CLASS. */
static size_t run_size(struct bytes text, size_t begin, unsigned class)
{
	size_t end = begin;

	while (end < text.size && (classes[(unsigned char)text.data[end]] & class) != 0)
		end++;
	return end - begin;
}

bool plain_split_key(struct bytes text, struct bytes *out_local, struct bytes *out_domain)
{
	size_t at = run_size(text, 0, KEY);
	size_t domain_size;

	if (at == text.size || text.data[at] != '@')
		return false;
	domain_size = run_size(text, at + 1, KEY);
	if (domain_size == 0 || at + 1 + domain_size != text.size ||
	    text.data[text.size - 1] == '.')
		return false;
	*out_local = bytes_first(text, at);
	*out_domain = bytes_skip(text, at + 1);
	return true;
}

bool plain_local(struct bytes local)
{
	size_t position = 0;

	for (;;) {
		size_t size = run_size(local, position, ATOM);

		position += size;
		if (size == 0 || position == local.size)
			return size > 0;
		if (local.data[position++] != '.')
			return false;
	}
}
