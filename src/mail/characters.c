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
