/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/fold.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <idn2.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "mail/characters.h"

enum {
	/* Composing may make a text shorter, but not by more than this. */
	TEXT_BYTES_MAX = 1024,
	/* What libunistring gets to write to before it allocates. */
	ROOM_BYTES = 1024,
};

/* What a look at all bytes of a text tells. */
struct survey {
	bool is_ascii;
	bool has_upper; /* this and the next say something only where is_ascii */
	bool has_forbidden;
};

/* A byte value in each byte of a word. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/*
 * Eight bytes at a time. For a byte below 128 adding 128 - N sets the top bit if it is N or more,
 * and never carries into the next one.
 */
static void survey_word(uint64_t word, uint64_t lowest, uint64_t *not_ascii, uint64_t *upper,
			uint64_t *forbidden)
{
	uint64_t low = word & EACH(0x7f);

	*not_ascii |= word;
	*upper |= (low + EACH(128 - 'A')) & ~(low + EACH(128 - ('Z' + 1)));
	*forbidden |= ~((low | EACH(128)) - lowest) | (low + EACH(1));
}

/*
 * Load fewer than eight bytes, some of them twice: no check asks how often or where a byte stands.
 * memcpy() of a size that isn't constant would be a call.
 */
static uint64_t load_short(struct bytes text)
{
	uint64_t word = EACH('a');
	uint32_t first, last;

	if (text.size >= sizeof(first)) {
		memcpy(&first, text.data, sizeof(first));
		memcpy(&last, text.data + text.size - sizeof(last), sizeof(last));
		return first | (uint64_t)last << 32;
	}
	for (size_t i = 0; i < text.size; i++)
		word = word << 8 | (unsigned char)text.data[i];
	return word;
}

/* LOWEST is the first byte that is allowed. */
static struct survey survey(struct bytes text, unsigned char lowest)
{
	uint64_t not_ascii = 0, upper = 0, forbidden = 0, word;
	uint64_t lowest_each = EACH((uint64_t)lowest);

	if (text.size < sizeof(word)) {
		survey_word(load_short(text), lowest_each, &not_ascii, &upper, &forbidden);
	} else {
		for (size_t at = 0; at + sizeof(word) < text.size; at += sizeof(word)) {
			memcpy(&word, text.data + at, sizeof(word));
			survey_word(word, lowest_each, &not_ascii, &upper, &forbidden);
		}
		/* The last eight, whether the loop has seen some of them or not. */
		memcpy(&word, text.data + text.size - sizeof(word), sizeof(word));
		survey_word(word, lowest_each, &not_ascii, &upper, &forbidden);
	}
	return (struct survey){
		.is_ascii = (not_ascii & EACH(0x80)) == 0,
		.has_upper = (upper & EACH(0x80)) != 0,
		.has_forbidden = (forbidden & EACH(0x80)) != 0,
	};
}

/* Valid UTF-8 whose characters may all be part of a key? */
static bool accepts_utf8(struct bytes text, unsigned char lowest)
{
	const uint8_t *at = (const uint8_t *)text.data;
	size_t left = text.size;

	while (left > 0) {
		ucs4_t character;
		int size = u8_mbtoucr(&character, at, left);

		if (size <= 0 || character < lowest || character == 0x7f ||
		    character_is_bidi_control(character))
			return false;
		at += size;
		left -= (size_t)size;
	}
	return true;
}

bool fold_accepts(struct bytes text)
{
	struct survey seen = survey(text, ' ');

	return seen.is_ascii ? !seen.has_forbidden : accepts_utf8(text, ' ');
}

static enum fold_outcome lower_ascii(struct bytes text, struct arena *arena, struct bytes *out_key)
{
	char *lower = arena_alloc(arena, text.size);

	if (lower == NULL)
		return FOLD_NO_MEMORY;
	for (size_t i = 0; i < text.size; i++)
		lower[i] = byte_to_lower(text.data[i]);
	*out_key = bytes_make(lower, text.size);
	return FOLD_OK;
}

static enum fold_outcome copy_key(const void *data, size_t size, struct arena *arena,
				  struct bytes *out_key)
{
	if (size > FOLD_KEY_BYTES_MAX)
		return FOLD_INVALID;
	return arena_copy(arena, bytes_make(data, size), out_key) ? FOLD_OK : FOLD_NO_MEMORY;
}

/*
 * Decompose before folding. Otherwise two texts that are canonically equal may fold to different
 * ones, since folding makes a letter of its own of U+0345.
 */
static enum fold_outcome fold_unicode(struct bytes text, struct arena *arena, struct bytes *out_key)
{
	uint8_t decomposed_room[ROOM_BYTES], folded_room[ROOM_BYTES];
	size_t decomposed_size = sizeof(decomposed_room), folded_size = sizeof(folded_room);
	uint8_t *folded = NULL;
	uint8_t *decomposed = u8_normalize(UNINORM_NFD, (const uint8_t *)text.data, text.size,
					   decomposed_room, &decomposed_size);
	enum fold_outcome outcome;

	if (decomposed != NULL)
		folded = u8_casefold(decomposed, decomposed_size, NULL, UNINORM_NFC, folded_room,
				     &folded_size);
	if (folded != NULL)
		outcome = copy_key(folded, folded_size, arena, out_key);
	else
		outcome = errno == ENOMEM ? FOLD_NO_MEMORY : FOLD_INVALID;
	if (folded != folded_room)
		free(folded);
	if (decomposed != decomposed_room)
		free(decomposed);
	return outcome;
}

enum fold_outcome fold_local(struct bytes local, struct arena *arena, struct bytes *out_key)
{
	struct survey seen;

	if (local.size > TEXT_BYTES_MAX)
		return FOLD_INVALID;
	seen = survey(local, ' ');
	if (!seen.is_ascii) {
		if (!accepts_utf8(local, ' '))
			return FOLD_INVALID;
		return fold_unicode(local, arena, out_key);
	}
	if (seen.has_forbidden || local.size > FOLD_KEY_BYTES_MAX)
		return FOLD_INVALID;
	if (seen.has_upper)
		return lower_ascii(local, arena, out_key);
	*out_key = local;
	return FOLD_OK;
}

/* Mapping may bring forth what no host name has: a fullwidth `@` becomes a plain one. */
static bool is_host_name(struct bytes host)
{
	bool is_behind_dot = true;

	for (size_t i = 0; i < host.size; i++) {
		char byte = host.data[i];

		if (byte == '.' ? is_behind_dot
				: !((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
				    byte == '-' || byte == '_'))
			return false;
		is_behind_dot = byte == '.';
	}
	return !is_behind_dot;
}

/*
 * UTS 46 maps to lower case, composes, and turns the ideographic full stop into a dot, as Postfix
 * does. Don't fold case first: that turns a sharp s into `ss`, which is another domain.
 */
static enum fold_outcome fold_international(struct bytes domain, struct arena *arena,
					    struct bytes *out_key)
{
	char text[TEXT_BYTES_MAX + 1];
	uint8_t *ascii = NULL;
	struct bytes key;
	enum fold_outcome outcome = FOLD_INVALID;
	int result;

	memcpy(text, domain.data, domain.size);
	text[domain.size] = '\0';
	result = idn2_lookup_u8((const uint8_t *)text, &ascii,
				IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (result == IDN2_MALLOC)
		outcome = FOLD_NO_MEMORY;
	if (result != IDN2_OK)
		return outcome;
	key = bytes_of((const char *)ascii);
	if (key.size > 0 && key.data[key.size - 1] == '.')
		key.size--;
	if (is_host_name(key))
		outcome = copy_key(key.data, key.size, arena, out_key);
	idn2_free(ascii);
	return outcome;
}

enum fold_outcome fold_domain(struct bytes domain, struct arena *arena, struct bytes *out_key)
{
	struct survey seen;

	if (domain.size > 0 && domain.data[domain.size - 1] == '.')
		domain.size--;
	if (domain.size > TEXT_BYTES_MAX)
		return FOLD_INVALID;
	seen = survey(domain, '!');
	if (!seen.is_ascii) {
		if (!accepts_utf8(domain, '!'))
			return FOLD_INVALID;
		return fold_international(domain, arena, out_key);
	}
	if (seen.has_forbidden || domain.size > FOLD_KEY_BYTES_MAX)
		return FOLD_INVALID;
	if (seen.has_upper)
		return lower_ascii(domain, arena, out_key);
	*out_key = domain;
	return FOLD_OK;
}

/* KEY with U-labels, for idn2_free(). INVALID: it has none, or can't have them. */
static enum fold_outcome show(struct bytes key, char **out_shown)
{
	char text[FOLD_KEY_BYTES_MAX + 1];

	if (key.data == NULL || key.size > FOLD_KEY_BYTES_MAX)
		return FOLD_INVALID;
	memcpy(text, key.data, key.size);
	text[key.size] = '\0';
	if (strstr(text, "xn--") == NULL)
		return FOLD_INVALID;
	switch (idn2_to_unicode_8z8z(text, out_shown, 0)) {
	case IDN2_OK:
		return FOLD_OK;
	case IDN2_MALLOC:
		return FOLD_NO_MEMORY;
	default:
		return FOLD_INVALID;
	}
}

bool fold_domain_show(struct bytes key, struct arena *arena, struct bytes *out_shown)
{
	char *shown;
	enum fold_outcome outcome = show(key, &shown);
	bool is_copied;

	if (outcome != FOLD_OK) {
		*out_shown = key;
		return outcome == FOLD_INVALID;
	}
	is_copied = arena_copy(arena, bytes_of(shown), out_shown);
	idn2_free(shown);
	return is_copied;
}

bool fold_domain_shown_bytes(struct bytes key, size_t *out_size)
{
	char *shown;
	enum fold_outcome outcome = show(key, &shown);

	*out_size = key.size;
	if (outcome != FOLD_OK)
		return outcome == FOLD_INVALID;
	if (strlen(shown) < key.size)
		*out_size = strlen(shown);
	idn2_free(shown);
	return true;
}
