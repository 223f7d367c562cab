/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/characters.h"

#include <unistr.h>

size_t character_shown_size(struct bytes text)
{
	ucs4_t character;
	int size = u8_mbtoucr(&character, (const uint8_t *)text.data, text.size);

	/* C1 controls reach terminals, bidi controls deceive the eye. */
	if (size <= 0 || character < ' ' || (character >= 0x7f && character < 0xA0))
		return 0;
	return character_is_bidi_control(character) ? 0 : (size_t)size;
}

void characters_mask(char *text)
{
	while (*text != '\0') {
		size_t size = character_shown_size(bytes_of(text));

		if (size == 0)
			*text = '?';
		text += size > 0 ? size : 1;
	}
}

static const struct unseen {
	ucs4_t first;
	ucs4_t last;
	const char *name;
	bool may_be_meant;
} unseen[] = {
	{ 0x00A0, 0x00A0, "U+00A0 (no-break space)", false },
	{ 0x00AD, 0x00AD, "U+00AD (soft hyphen)", false },
	{ 0x034F, 0x034F, "U+034F (combining grapheme joiner)", false },
	{ 0x061C, 0x061C, "U+061C (Arabic letter mark)", false },
	{ 0x115F, 0x1160, "U+115F or U+1160 (Hangul filler)", false },
	{ 0x1680, 0x1680, "U+1680 (Ogham space mark)", false },
	{ 0x180E, 0x180E, "U+180E (Mongolian vowel separator)", false },
	{ 0x2000, 0x200A, "U+2000 to U+200A (a space)", false },
	{ 0x200B, 0x200B, "U+200B (zero width space)", false },
	{ 0x200C, 0x200C, "U+200C (zero width non-joiner)", true },
	{ 0x200D, 0x200D, "U+200D (zero width joiner)", true },
	{ 0x200E, 0x200F, "U+200E or U+200F (a mark of direction)", false },
	{ 0x2028, 0x2029, "U+2028 or U+2029 (a separator)", false },
	{ 0x202F, 0x202F, "U+202F (narrow no-break space)", false },
	{ 0x205F, 0x205F, "U+205F (mathematical space)", false },
	{ 0x2060, 0x2064, "U+2060 to U+2064 (word joiner and the like)", false },
	{ 0x3000, 0x3000, "U+3000 (ideographic space)", false },
	{ 0x3164, 0x3164, "U+3164 (Hangul filler)", false },
	{ 0xFEFF, 0xFEFF, "U+FEFF (byte order mark)", false },
	{ 0xFFA0, 0xFFA0, "U+FFA0 (Hangul filler)", false },
};

const char *character_unseen(struct bytes text, bool *out_may_be_meant)
{
	while (text.size > 0) {
		ucs4_t character;
		int size = u8_mbtoucr(&character, (const uint8_t *)text.data, text.size);

		for (size_t i = 0; size > 1 && i < sizeof(unseen) / sizeof(unseen[0]); i++) {
			if (character < unseen[i].first || character > unseen[i].last)
				continue;
			*out_may_be_meant = unseen[i].may_be_meant;
			return unseen[i].name;
		}
		text = bytes_skip(text, size > 0 ? (size_t)size : 1);
	}
	return NULL;
}
