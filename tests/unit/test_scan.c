/* SPDX-License-Identifier: BSD-2-Clause */
/* base/scan.h and bytes_same(): what they say at once, byte by byte. */
#include "base/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bytes.h"

enum { ROUNDS = 20000, ROOM = 64 };

/* Few different bytes, so that many are equal; all values, so that no carry goes unseen. */
static void fill(unsigned char *room, size_t size)
{
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0x81, 0xfe, 0xff };
	int is_few = rand() % 2;

	for (size_t i = 0; i < size; i++)
		room[i] =
			is_few ? values[(unsigned)rand() % sizeof(values)] : (unsigned char)rand();
}

static void bytes_are_found_where_they_are(void **state)
{
	unsigned char room[ROOM];

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const unsigned char *at = room + rand() % (ROOM - SCAN_BYTES);
		unsigned expected = 0;
		unsigned char wanted;

		fill(room, sizeof(room));
		wanted = room[rand() % ROOM];
		for (unsigned i = 0; i < SCAN_BYTES; i++)
			expected |= (unsigned)(at[i] == wanted) << i;
		assert_int_equal(scan_bytes(at, wanted), expected);
	}
}

static void words_are_found_where_they_are(void **state)
{
	unsigned char room[ROOM];

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const unsigned char *at = room + rand() % (ROOM - 4 * SCAN_WORDS);
		unsigned expected = 0;
		uint32_t wanted;

		fill(room, sizeof(room));
		wanted = le32_load(at + 4 * (rand() % SCAN_WORDS));
		for (unsigned i = 0; i < SCAN_WORDS; i++)
			expected |= (unsigned)(le32_load(at + 4 * i) == wanted) << i;
		assert_int_not_equal(expected, 0);
		assert_int_equal(scan_words(at, wanted), expected);
		assert_int_equal(scan_words_portable(at, wanted), expected);
	}
}

static void sums_are_of_the_first_bytes_alone(void **state)
{
	unsigned char room[ROOM];

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const unsigned char *at = room + rand() % (ROOM - SCAN_BYTES);
		unsigned count = (unsigned)rand() % (SCAN_BYTES + 1);
		unsigned expected = 0;

		fill(room, sizeof(room));
		for (unsigned i = 0; i < count; i++)
			expected += at[i];
		assert_int_equal(scan_sum(at, count), expected);
		assert_int_equal(scan_sum_portable(at, count), expected);
	}
	memset(room, 0xff, sizeof(room));
	assert_int_equal(scan_sum(room, SCAN_BYTES), 255 * SCAN_BYTES);
	assert_int_equal(scan_sum_portable(room, SCAN_BYTES), 255 * SCAN_BYTES);
}

/* At the very end of a block each, so that a read past it is seen by a sanitizer. */
static void one_other_byte_is_seen_in_any_place(void **state)
{
	(void)state;
	for (size_t size = 0; size <= ROOM; size++) {
		unsigned char *left = malloc(size + 1);
		unsigned char *right = malloc(size + 1);

		assert_non_null(left);
		assert_non_null(right);
		left[0] = right[0] = 'x';
		fill(left + 1, size);
		memcpy(right + 1, left + 1, size);
		assert_true(bytes_same(left + 1, right + 1, size));
		for (size_t i = 0; i < size; i++) {
			right[1 + i] ^= 0x20;
			assert_false(bytes_same(left + 1, right + 1, size));
			right[1 + i] ^= 0x20;
		}
		free(left);
		free(right);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_found_where_they_are),
		cmocka_unit_test(words_are_found_where_they_are),
		cmocka_unit_test(sums_are_of_the_first_bytes_alone),
		cmocka_unit_test(one_other_byte_is_seen_in_any_place),
	};

	srand(2026);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
