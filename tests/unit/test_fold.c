/* SPDX-License-Identifier: BSD-2-Clause */
/* The key form of local parts and domains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mail/fold.h"

#define TEXT(literal) bytes_make(literal, sizeof(literal) - 1)
#define ROWS(table)   (sizeof(table) / sizeof((table)[0]))

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* TEXT becomes KEY (NULL: is refused), and KEY stays KEY. */
static void expect_key(enum fold_outcome (*fold)(struct bytes, struct arena *, struct bytes *),
		       const char *text, const char *wanted)
{
	size_t size = strlen(text);
	char *block = malloc(size > 0 ? size : 1);
	struct bytes key, again;
	enum fold_outcome outcome;

	assert_non_null(block);
	if (size > 0)
		memcpy(block, text, size);
	outcome = fold(bytes_make(block, size), &arena, &key);
	if (wanted == NULL) {
		if (outcome != FOLD_INVALID)
			fail_msg("'%s' is accepted", text);
		free(block);
		return;
	}
	if (outcome != FOLD_OK)
		fail_msg("'%s' is refused: %d", text, (int)outcome);
	if (!bytes_equal(key, bytes_of(wanted)))
		fail_msg("'%s' becomes '" BYTES_FORMAT "', not '%s'", text, BYTES_ARGS(key),
			 wanted);
	assert_int_equal(fold(key, &arena, &again), FOLD_OK);
	if (!bytes_equal(again, key))
		fail_msg("'%s' becomes '" BYTES_FORMAT "' the second time", text,
			 BYTES_ARGS(again));
	free(block);
}

static const struct {
	const char *text, *key;
} local_parts[] = {
	{ "", "" },
	{ "u", "u" },
	{ "u.v+x", "u.v+x" },
	{ "Ann.Smith@[x]{|}~", "ann.smith@[x]{|}~" },
	{ "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz" },
	{ "q x", "q x" },
	/* Full case folding. */
	{ "\xc3\x9c", "\xc3\xbc" }, /* U umlaut */
	{ "stra\xc3\x9f"
	  "e",
	  "strasse" }, /* sharp s */
	{ "STRA\xe1\xba\x9e"
	  "E",
	  "strasse" },                                              /* capital sharp s */
	{ "\xc4\xb0", "i\xcc\x87" },                                /* Turkish I with dot */
	{ "\xc4\xb1", "\xc4\xb1" },                                 /* Turkish i without dot */
	{ "\xce\xa3\xce\x91\xcf\x82", "\xcf\x83\xce\xb1\xcf\x83" }, /* final sigma */
	{ "\xef\xac\x81", "fi" },                                   /* ligature fi */
	{ "\xe2\x84\xaa", "k" },                                    /* Kelvin sign */
	{ "\xc5\xbf", "s" },                                        /* long s */
	/* Composed and decomposed are one key; marks in any order too. */
	{ "u\xcc\x88", "\xc3\xbc" },
	{ "U\xcc\x88", "\xc3\xbc" },
	{ "a\xcc\xa3\xcc\x82", "\xe1\xba\xad" },
	{ "a\xcc\x82\xcc\xa3", "\xe1\xba\xad" },
	{ "\xe1\xbe\xb4", "\xce\xac\xce\xb9" }, /* alpha, oxia, ypogegrammeni */
	{ "\xce\xb1\xcc\x81\xcd\x85", "\xce\xac\xce\xb9" },
	{ "\xce\xb1\xcd\x85\xcc\x81", "\xce\xac\xce\xb9" },
	/* Nothing is transliterated or left out. */
	{ "\xef\xbd\x81\xef\xbc\xa2", "\xef\xbd\x81\xef\xbd\x82" }, /* fullwidth */
	{ "a\xe2\x80\x8d"
	  "B",
	  "a\xe2\x80\x8d"
	  "b" }, /* ZWJ */
	{ "a\xc2\xad"
	  "b",
	  "a\xc2\xad"
	  "b" },                                    /* soft hyphen */
	{ "\xd0\xb0", "\xd0\xb0" },                 /* Cyrillic a */
	{ "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8" }, /* Deseret, beyond U+FFFF */
	{ "\xe2\x80\xa9", "\xe2\x80\xa9" },         /* next to bidi controls */
	{ "\xe2\x80\xaf", "\xe2\x80\xaf" },
	{ "\xe2\x81\xa5", "\xe2\x81\xa5" },
	{ "\xe2\x81\xaa", "\xe2\x81\xaa" },
	/* Never part of a key. */
	{ "a\x01", NULL },
	{ "abcdefgh\x1f", NULL },
	{ "\t", NULL },
	{ "a\x7f", NULL },
	{ "\xc3\xbc\x7f", NULL },
	{ "\xc3\xbc\x0a", NULL },
	{ "\x80", NULL },
	{ "a\xc3", NULL },    /* cut short */
	{ "\xc0\xaf", NULL }, /* overlong */
	{ "\xc1\x81", NULL },
	{ "\xe0\x80\xaf", NULL },
	{ "\xf0\x80\x80\xaf", NULL },
	{ "\xed\xa0\x80", NULL }, /* surrogates */
	{ "\xed\xbf\xbf", NULL },
	{ "\xf4\x90\x80\x80", NULL }, /* beyond U+10FFFF */
	{ "\xfe", NULL },
	{ "a\xe2\x80\xaa"
	  "b",
	  NULL }, /* bidi controls */
	{ "a\xe2\x80\xab"
	  "b",
	  NULL },
	{ "a\xe2\x80\xac"
	  "b",
	  NULL },
	{ "a\xe2\x80\xad"
	  "b",
	  NULL },
	{ "a\xe2\x80\xae"
	  "b",
	  NULL },
	{ "a\xe2\x81\xa6"
	  "b",
	  NULL },
	{ "a\xe2\x81\xa7"
	  "b",
	  NULL },
	{ "a\xe2\x81\xa8"
	  "b",
	  NULL },
	{ "a\xe2\x81\xa9"
	  "b",
	  NULL },
};

static void test_local_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(local_parts); i++) {
		expect_key(fold_local, local_parts[i].text, local_parts[i].key);
		assert_int_equal(fold_accepts(bytes_of(local_parts[i].text)),
				 local_parts[i].key != NULL);
	}
	assert_false(fold_accepts(TEXT("a\0b")));
}

static void test_domains(void **state)
{
	static const struct {
		const char *text, *key;
	} rows[] = {
		{ "", "" },
		{ ".", "" },
		{ "ours.test", "ours.test" },
		{ "OURS.Test.", "ours.test" },
		{ "a_b.test", "a_b.test" },
		{ "a/b,c", "a/b,c" },
		{ "[IPv6:::1]", "[ipv6:::1]" },
		{ "XN--MNCHEN-3YA.test", "xn--mnchen-3ya.test" },
		{ "xn--not!a-label", "xn--not!a-label" },
		/* U-label and A-label, composed or not, are one key. */
		{ "m\xc3\xbcnchen.test", "xn--mnchen-3ya.test" },
		{ "M\xc3\x9cNCHEN.Test.", "xn--mnchen-3ya.test" },
		{ "mu\xcc\x88nchen.test", "xn--mnchen-3ya.test" },
		{ "a_b.\xc3\xbc.test", "a_b.xn--tda.test" },
		/* Not transitional: sharp s and final sigma stand for themselves. */
		{ "fa\xc3\x9f.de", "xn--fa-hia.de" },
		{ "\xce\xb2\xcf\x8c\xce\xbb\xce\xbf\xcf\x82.com", "xn--nxasmm1c.com" },
		/* UTS 46 maps fullwidth letters and stops, as Postfix does. */
		{ "\xef\xbd\x81\xef\xbc\xa2.test", "ab.test" },
		{ "\xc3\xbc\xe3\x80\x82test", "xn--tda.test" },
		{ "\xc3\xbc.test\xe3\x80\x82", "xn--tda.test" },
		/* Refused. */
		{ "ours test", NULL },
		{ " ", NULL },
		{ "a\x01.test", NULL },
		{ "a\x7f.test", NULL },
		{ "\xc3\xbc .test", NULL },
		{ "\xc3\xbc\x01.test", NULL },
		{ "\xc0\xaf.test", NULL },
		{ "\xed\xa0\x80.test", NULL },
		{ "a\xe2\x80\xae.test", NULL },
		{ "\xc3\xbc..test", NULL },
		{ ".\xc3\xbc.test", NULL },
		{ "u\xef\xbc\xa0x.test", NULL }, /* fullwidth @ */
		{ "\xc2\xa8.test", NULL },       /* maps to a space and a mark */
		{ "[\xc3\xbc]", NULL },
		{ "\xcc\x88.test", NULL }, /* begins with a mark */
		{ "a\xe2\x80\x8d"
		  "b.test",
		  NULL }, /* ZWJ without a reason */
		{ "\xc3\xbc/.test", NULL },
	};
	struct bytes key;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		expect_key(fold_domain, rows[i].text, rows[i].key);
	assert_int_equal(fold_domain(TEXT("\xc3\xbc\0.test"), &arena, &key), FOLD_INVALID);
	/* One dot only; the key of two keeps one. */
	assert_int_equal(fold_domain(TEXT("ours.test.."), &arena, &key), FOLD_OK);
	assert_true(bytes_equal(key, TEXT("ours.test.")));
}

/* Every byte at every place of texts of all sizes: the fast way is not wrong for any. */
static void expect_byte(unsigned byte, size_t size, size_t place)
{
	bool is_allowed = byte >= ' ' && byte != 0x7f;
	char *text = malloc(size);
	struct bytes key;
	enum fold_outcome outcome;

	assert_non_null(text);
	memset(text, 'z', size);
	text[place] = (char)byte;
	outcome = fold_local(bytes_make(text, size), &arena, &key);
	assert_int_equal(outcome, is_allowed ? FOLD_OK : FOLD_INVALID);
	if (is_allowed) {
		assert_int_equal(key.data[place], byte_to_lower((char)byte));
		assert_int_equal(key.data == text, byte < 'A' || byte > 'Z');
	}
	outcome = fold_domain(bytes_make(text, size), &arena, &key);
	assert_int_equal(outcome, is_allowed && byte != ' ' ? FOLD_OK : FOLD_INVALID);
	/* The first byte of two, the second of which is missing. */
	text[place] = (char)0xc3;
	assert_false(fold_accepts(bytes_make(text, size)));
	free(text);
}

static void test_each_byte(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 128; byte++) {
		for (size_t size = 1; size < 20; size++)
			for (size_t place = 0; place < size; place++)
				expect_byte(byte, size, place);
		arena_clear(&arena);
	}
}

static void test_folded_takes_no_memory(void **state)
{
	struct bytes local = TEXT("ann.smith"), key;
	struct arena none;

	(void)state;
	arena_init(&none, 0);
	assert_int_equal(fold_local(local, &none, &key), FOLD_OK);
	assert_ptr_equal(key.data, local.data);
	assert_int_equal(fold_domain(TEXT("ours.test."), &none, &key), FOLD_OK);
	assert_int_equal(fold_local(TEXT("Ann"), &none, &key), FOLD_NO_MEMORY);
	assert_int_equal(fold_domain(TEXT("Ours"), &none, &key), FOLD_NO_MEMORY);
	assert_int_equal(fold_local(TEXT("\xc3\xbc"), &none, &key), FOLD_NO_MEMORY);
	assert_int_equal(fold_domain(TEXT("\xc3\xbc"), &none, &key), FOLD_NO_MEMORY);
	arena_free(&none);
}

static void test_sizes(void **state)
{
	static char text[1200];
	struct bytes key;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(fold_local(bytes_make(text, 255), &arena, &key), FOLD_OK);
	assert_int_equal(fold_local(bytes_make(text, 256), &arena, &key), FOLD_INVALID);
	assert_int_equal(fold_domain(bytes_make(text, 255), &arena, &key), FOLD_OK);
	assert_int_equal(fold_domain(bytes_make(text, 256), &arena, &key), FOLD_INVALID);
	assert_int_equal(fold_local(bytes_make(text, sizeof(text)), &arena, &key), FOLD_INVALID);
	/* 128 times u and diaeresis: 384 bytes, composed 256; one less is 254. */
	for (size_t i = 0; i < 128; i++)
		memcpy(text + 3 * i, "u\xcc\x88", 3);
	assert_int_equal(fold_local(bytes_make(text, 381), &arena, &key), FOLD_OK);
	assert_int_equal(key.size, 254);
	assert_int_equal(fold_local(bytes_make(text, 384), &arena, &key), FOLD_INVALID);
	/* A character that folds to three times its size, and needs more room than there is. */
	for (size_t i = 0; i < 600; i++)
		memcpy(text + 2 * i, "\xce\x90", 2);
	assert_int_equal(fold_local(bytes_make(text, 1024), &arena, &key), FOLD_INVALID);
	/* 60 characters: over 63 bytes as A-label. */
	for (size_t i = 0; i < 512; i++)
		memcpy(text + 2 * i, i % 2 == 0 ? "\xc3\xbc" : "\xd0\xb6", 2);
	assert_int_equal(fold_domain(bytes_make(text, 120), &arena, &key), FOLD_INVALID);
	assert_int_equal(fold_domain(bytes_make(text, 1024), &arena, &key), FOLD_INVALID);
	assert_int_equal(fold_domain(bytes_make(text, sizeof(text)), &arena, &key), FOLD_INVALID);
}

static size_t shown_bytes(struct bytes key)
{
	size_t size;

	assert_true(fold_domain_shown_bytes(key, &size));
	return size;
}

static void test_shown_bytes(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(shown_bytes(TEXT("")), 0);
	assert_int_equal(shown_bytes(bytes_make(NULL, 0)), 0);
	assert_int_equal(shown_bytes(TEXT("ours.test")), 9);
	assert_int_equal(shown_bytes(TEXT("xn--mnchen-3ya.test")), 13);
	assert_int_equal(shown_bytes(TEXT("a.xn--tda")), 4);
	assert_int_equal(shown_bytes(TEXT("xn--\x01")), 5);
	assert_int_equal(shown_bytes(bytes_make(text, sizeof(text))), sizeof(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_local_parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_domains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_folded_takes_no_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
		cmocka_unit_test(test_shown_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
