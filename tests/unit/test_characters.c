/* SPDX-License-Identifier: BSD-2-Clause */
/* Which characters may be shown, all of them asked. */
#include "mail/characters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistr.h>

#include "mail/fold.h"

enum { LAST = 0x10FFFF };

/* What must not reach a reader; NO_KEY: what no key may have either. */
static const struct range {
	uint32_t first, last;
	bool is_no_key;
} hidden[] = {
	{ 0, 31, true },          { 127, 127, true },       { 0x80, 0x9F, false },
	{ 0x202A, 0x202E, true }, { 0x2066, 0x2069, true },
};

static const struct range *find_range(uint32_t character)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (character >= hidden[i].first && character <= hidden[i].last)
			return &hidden[i];
	return NULL;
}

static void each_is_shown_or_hidden(void **state)
{
	(void)state;
	for (uint32_t character = 0; character <= LAST; character++) {
		uint8_t text[6];
		int size = u8_uctomb(text, character, sizeof(text));
		const struct range *range = find_range(character);
		struct bytes whole = bytes_make(text, size > 0 ? (size_t)size : 0);

		if (size <= 0)
			continue; /* a surrogate */
		if (character_shown_size(whole) != (range == NULL ? whole.size : 0))
			fail_msg("U+%04x", (unsigned)character);
		if (fold_accepts(whole) != (range == NULL || !range->is_no_key))
			fail_msg("U+%04x in a key", (unsigned)character);
		if (character_is_bidi_control(character) !=
		    (range != NULL && range->first > 0x2000))
			fail_msg("U+%04x is bidi", (unsigned)character);
		/* What follows is no part of it, and a part is nothing. */
		text[size] = 'x';
		assert_int_equal(character_shown_size(bytes_make(text, whole.size + 1)),
				 range == NULL ? whole.size : 0);
		if (size > 1)
			assert_int_equal(character_shown_size(bytes_first(whole, whole.size - 1)),
					 0);
	}
}

static void what_is_no_utf8_is_hidden(void **state)
{
	static const char *const texts[] = { "\200", "\377", "\300\200", "\355\240\200",
					     "\364\220\200\200" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(character_shown_size(bytes_of(texts[i])), 0);
}

static void what_is_hidden_is_masked(void **state)
{
	/* A cut character, Latin-1, a control, one that turns the direction. */
	char text[] = "m\303\274ller \374 a\033[1m \342\200\256x \342\202";

	(void)state;
	characters_mask(text);
	assert_string_equal(text, "m\303\274ller ? a?[1m ???x ??");
	characters_mask(text + strlen(text));
}

static void assert_unseen(const char *text, const char *name, bool may_be_meant)
{
	bool is_meant = !may_be_meant;
	const char *found = character_unseen(bytes_of(text), &is_meant);

	assert_non_null(found);
	assert_string_equal(found, name);
	assert_int_equal(is_meant, may_be_meant);
}

static void what_nobody_sees_has_a_name(void **state)
{
	bool is_meant;

	(void)state;
	assert_unseen("ann\xC2\xA0@a.test", "U+00A0 (no-break space)", false);
	assert_unseen("\xE2\x80\x8B"
		      "ann",
		      "U+200B (zero width space)", false);
	assert_unseen("\xEF\xBB\xBF"
		      "ann",
		      "U+FEFF (byte order mark)", false);
	assert_unseen("a\xE2\x80\x8D"
		      "b",
		      "U+200D (zero width joiner)", true);
	assert_unseen("\xff\xE3\x80\x80", "U+3000 (ideographic space)", false);
	assert_null(character_unseen(bytes_of("m\xC3\xBCller@b\xC3\xBC.test"), &is_meant));
	assert_null(character_unseen(bytes_of("\xC2"), &is_meant));
	assert_null(character_unseen(bytes_of(""), &is_meant));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_shown_or_hidden),
		cmocka_unit_test(what_is_no_utf8_is_hidden),
		cmocka_unit_test(what_is_hidden_is_masked),
		cmocka_unit_test(what_nobody_sees_has_a_name),
	};

	return cmocka_run_group_tests_name("characters", tests, NULL, NULL);
}
