/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/advice.h"

#include <stdint.h>
#include <stdio.h>

#include "base/le.h"
#include "mail/characters.h"
#include "table/format.h"

enum { SHOWN_BYTES = 255 };

/* ---- patterns ------------------------------------------------------------------------------ */

/* `/pattern/flags`, as far as the first blank of the pattern. */
static bool is_slashed(struct bytes text)
{
	size_t last = text.size;

	if (text.size > 0 && text.data[0] == '!')
		return is_slashed(bytes_skip(text, 1));
	if (text.size < 2 || text.data[0] != '/')
		return false;
	while (text.data[last - 1] != '/')
		last--;
	if (last == 1)
		return false;
	for (size_t i = last; i < text.size; i++)
		if ((text.data[i] | 0x20) < 'a' || (text.data[i] | 0x20) > 'z')
			return false;
	return true;
}

bool advice_is_pattern(struct bytes key, struct bytes value)
{
	if (bytes_equal_ascii_nocase(key, bytes_of("if")))
		return value.size > 0 && (value.data[0] == '/' || value.data[0] == '!');
	return is_slashed(key) ||
	       (value.size == 0 && bytes_equal_ascii_nocase(key, bytes_of("endif")));
}

bool advice_is_entry(struct bytes line)
{
	size_t size = 0;
	struct bytes key;
	size_t at;
	char first = (char)(line.data[0] | 0x20);

	while (size < line.size && !byte_is_white(line.data[size]))
		size++;
	key = bytes_first(line, size);
	at = bytes_index(key, '@');
	if (at == 0)
		return bytes_contain(key, '.') && !bytes_contain(bytes_skip(key, 1), '@');
	return ((first >= 'a' && first <= 'z') || (first >= '0' && first <= '9')) &&
	       (at < key.size || bytes_contain(key, '.'));
}

/* ---- one column ---------------------------------------------------------------------------- */

static bool is_domain(struct bytes line)
{
	size_t dot = bytes_index(line, '.');

	return dot > 0 && dot + 1 < line.size && line.size <= SHOWN_BYTES &&
	       !bytes_contain(line, '@') && !bytes_contain(line, ':') &&
	       !bytes_contain(line, '/') && bytes_are_ascii(line);
}

const char *advice_on_one_column(struct bytes line, char out_text[ADVICE_BYTES])
{
	static const char expected[] = "expected: key whitespace value";
	bool may_be_meant = false;
	const char *unseen = character_unseen(line, &may_be_meant);

	if (unseen != NULL && !may_be_meant)
		(void)snprintf(out_text, ADVICE_BYTES, "%s; %s in it is no white space", expected,
			       unseen); /* fits, as do the next */
	else if (is_domain(line))
		(void)snprintf(out_text, ADVICE_BYTES,
			       "%s; to declare a domain put a word behind it: " BYTES_FORMAT " x",
			       expected, BYTES_ARGS(line));
	else
		(void)snprintf(out_text, ADVICE_BYTES, "%s%s", expected,
			       bytes_contain(line, ':') ? "; is this an aliases file?" : "");
	return out_text;
}

/* ---- compiled tables ----------------------------------------------------------------------- */

/* Without a word of its own; it begins with the places of its 256 parts, in order. */
static bool is_cdb(struct bytes head, uint64_t file_bytes)
{
	uint64_t last = ADVICE_HEAD_BYTES;

	if (head.size < ADVICE_HEAD_BYTES)
		return false;
	for (size_t at = 0; at < ADVICE_HEAD_BYTES; at += 8) {
		uint64_t place = le32_load(head.data + at);
		uint64_t size = (uint64_t)le32_load(head.data + at + 4) * 8;

		if (place < last || place + size > file_bytes)
			return false;
		last = place + size;
	}
	return true;
}

/* The word at AT, in the byte order of either machine that may have written it. */
static bool has_word(struct bytes head, size_t at, uint32_t word)
{
	return head.size >= at + 4 && (le32_load(head.data + at) == word ||
				       le32_load(head.data + at) == __builtin_bswap32(word));
}

const char *advice_compiled_kind(struct bytes head, uint64_t file_bytes)
{
	if (bytes_begin_with(head, bytes_of(FORMAT_MAGIC)))
		return "openrcpt";
	if (has_word(head, 12, 0x00061561))
		return "hash";
	if (has_word(head, 12, 0x00053162))
		return "btree";
	if (has_word(head, 16, 0xbeefc0de))
		return "lmdb";
	return is_cdb(head, file_bytes) ? "cdb" : NULL;
}

/* Behind a bracket, and behind another quantifier, a `?` or `+` has a meaning in PCRE only. */
const char *advice_on_quantifier(char quantifier, bool is_group_begin, struct bytes before)
{
	if (quantifier == '?' && is_group_begin)
		return "`(?` is the syntax of PCRE; should the type be \"pcre\"?";
	if ((quantifier == '?' || quantifier == '+') && before.size > 0 &&
	    strchr("*+?}", before.data[before.size - 1]) != NULL)
		return "a quantifier behind a quantifier is the syntax of PCRE; should the type be "
		       "\"pcre\"?";
	return "a quantifier has nothing before it that it can repeat";
}
