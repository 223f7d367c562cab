/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/plain.h"

#include "base/sixteen.h"

/*
 * What a byte may be. In a domain no dot may stand beside a dot or a hyphen. Two bits say what a
 * byte is, and two more what may not stand behind it: `class & before >> BESIDE_SHIFT` is 0 for a
 * good pair.
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

enum {
	o = 0,
	L = LOCAL | HOST | LETTER,
	U = LOCAL | UPPER,
	N = LOCAL | HOST,
	D = LOCAL | HOST | DOT | HYPHEN_OR_DOT | AFTER_DOT,
	H = LOCAL | HOST | HYPHEN_OR_DOT | AFTER_HYPHEN,
	X = LOCAL,
};

/* From 128 on none is anything. */
static const unsigned char classes[256] = {
	o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, /* 0x00 */
	o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, /* 0x10 */
	o, o, o, o, o, o, X, X, o, o, X, X, o, H, D, o, /* 0x20 */
	N, N, N, N, N, N, N, N, N, N, o, o, o, X, o, o, /* 0x30 */
	o, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, /* 0x40 */
	U, U, U, U, U, U, U, U, U, U, U, o, o, o, o, X, /* 0x50 */
	o, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, /* 0x60 */
	L, L, L, L, L, L, L, L, L, L, L, o, o, o, X, o, /* 0x70 */
};

static bool is_class(char byte, unsigned wanted)
{
	return (classes[(unsigned char)byte] & wanted) != 0;
}

/*
 * The size of a local part at TEXT; 0: not plain. Nothing that is rarely called is inline here: the
 * frequent paths would have to make room for what it needs.
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

static __attribute__((noinline)) size_t user_by_bytes(struct bytes text, bool *out_has_upper)
{
	const unsigned char *begin = (const unsigned char *)text.data;
	unsigned seen = 0;
	size_t size = text.size == 0 ? 0 : local_size(begin, begin + text.size, &seen);

	*out_has_upper = (seen & UPPER) != 0;
	return size;
}

/* What is known of a local part, which has at most 64 bytes: bit N says something of byte N. */
struct marks {
	uint64_t dots;
	uint64_t uppers;
	size_t size; /* so many were looked at, and are common ones */
};

/* Look at THESE, of which the first KNOWN were looked at before. How many more belong to it? */
static inline size_t mark(struct marks *marks, struct sixteen these, size_t known)
{
	uint32_t dots = sixteen_bits(sixteen_equal(these, '.')) >> known;
	uint32_t uppers = sixteen_bits(sixteen_between(these, 'A', 'Z')) >> known;
	size_t run = sixteen_first(~(common_bits(these) >> known)); /* 16 where all do */

	marks->dots |= (uint64_t)dots << marks->size;
	marks->uppers |= (uint64_t)uppers << marks->size;
	marks->size += run;
	return run;
}

/* Of TEXT, sixteen bytes at least. */
static inline void mark_all(struct marks *marks, struct bytes text)
{
	while (text.size - marks->size >= SIXTEEN && marks->size < LOCAL_MAX)
		if (mark(marks, sixteen_load(text.data + marks->size), 0) < SIXTEEN)
			return;
	/* The last sixteen, whether some of them were seen or not. */
	if (marks->size < LOCAL_MAX && marks->size < text.size)
		(void)mark(marks, sixteen_load(text.data + text.size - SIXTEEN),
			   SIXTEEN - (text.size - marks->size)); /* there are no more */
}

size_t plain_user(struct bytes text, bool *out_has_upper)
{
	struct marks marks = { .size = 0 };
	uint64_t inside;

	if (text.size < SIXTEEN)
		return user_by_bytes(text, out_has_upper);
	mark_all(&marks, text);
	/* It goes on with a rare byte, or is too long. */
	if (marks.size < text.size && is_class(text.data[marks.size], LOCAL))
		return user_by_bytes(text, out_has_upper);
	if (marks.size == 0 || text.data[0] == '-' || text.data[0] == '.' ||
	    text.data[marks.size - 1] == '.')
		return 0;
	inside = UINT64_MAX >> (64 - marks.size);
	*out_has_upper = (marks.uppers & inside) != 0;
	marks.dots &= inside;
	return (marks.dots & marks.dots >> 1) != 0 ? 0 : marks.size; /* two in a row */
}

/* The size of the atom at AT. */
static size_t atom_size(struct bytes text, size_t at)
{
	size_t end = at;

	while (end < text.size && (classes[(unsigned char)text.data[end]] & (LOCAL | DOT)) == LOCAL)
		end++;
	return end - at;
}

bool plain_is_atoms(struct bytes local)
{
	size_t at = 0;

	for (;;) {
		size_t size = atom_size(local, at);

		at += size;
		if (size == 0 || at == local.size)
			return size > 0;
		if (local.data[at++] != '.')
			return false;
	}
}

bool plain_is_domain(struct bytes name)
{
	const unsigned char *begin = (const unsigned char *)name.data;

	return name.size > 0 && domain_size(begin, begin + name.size) == name.size;
}

/* Which of these end a word? From 128 on, over to a blank. */
static uint32_t end_bits(struct sixteen these)
{
	return sixteen_bits(
		sixteen_or(sixteen_equal(these, ','), sixteen_between(these, 0x80, ' ')));
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
	if (last.size == 0 || text.size < last.size || !bytes_same(text.data, last.data, last.size))
		return false;
	return text.size == last.size || !is_class(text.data[last.size], HOST);
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

/* Is NAME made of bytes of CLASS alone, with none of the dots at its end? */
static bool is_host(struct bytes name, unsigned class)
{
	for (size_t i = 0; i < name.size; i++)
		if (!is_class(name.data[i], class))
			return false;
	return name.size > 0 && name.data[name.size - 1] != '.';
}

bool plain_split_key(struct bytes text, struct bytes *out_local, struct bytes *out_domain)
{
	bool has_upper = false;
	bool is_catch_all = text.size > 0 && text.data[0] == '@';
	size_t local = is_catch_all ? 0 : plain_user(text, &has_upper);
	struct bytes domain = bytes_skip(text, local + 1);

	if ((local == 0 && !is_catch_all) || has_upper || domain.size == 0 ||
	    text.data[local] != '@' || !is_host(domain, HOST))
		return false;
	*out_local = bytes_first(text, local);
	*out_domain = domain;
	return true;
}

bool plain_split_path(struct bytes text, struct bytes *out_local, struct bytes *out_domain)
{
	bool has_upper;
	size_t local = plain_user(text, &has_upper);
	struct bytes domain = bytes_skip(text, local + 1);

	if (local == 0 || domain.size == 0 || text.data[local] != '@')
		return false;
	if (domain.data[domain.size - 1] == '.')
		domain.size--;
	if (!is_host(domain, HOST | UPPER))
		return false;
	*out_local = bytes_first(text, local);
	*out_domain = domain;
	return true;
}
