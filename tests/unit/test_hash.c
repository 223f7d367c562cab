/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_BYTES = 5000 };

static unsigned char text[TEXT_BYTES];

static void make_text(void)
{
	for (size_t i = 0; i < TEXT_BYTES; i++)
		text[i] = (unsigned char)(i * 7 + i / 256);
}

/* It stands in every table file: another function would need another version of the format. */
static void it_is_xxh3(void **state)
{
	(void)state;
	assert_int_equal(hash_key(bytes_make(NULL, 0), 0), UINT64_C(0x2d06800538d394c2));
	assert_int_equal(hash_block(bytes_make(NULL, 0)), UINT64_C(0x2d06800538d394c2));
	assert_int_equal(hash_key(bytes_of("ann"), 0), hash_block(bytes_of("ann")));
}

static void each_seed_is_another_hash(void **state)
{
	(void)state;
	assert_int_not_equal(hash_key(bytes_of("ann"), 1), hash_key(bytes_of("ann"), 2));
	assert_int_not_equal(hash_key(bytes_of(""), 1), hash_key(bytes_of(""), 2));
}

static void add_in_pieces(struct hash_stream *stream, size_t size, size_t piece)
{
	for (size_t at = 0; at < size; at += piece)
		hash_stream_add(stream,
				bytes_make(text + at, size - at < piece ? size - at : piece));
}

static void pieces_are_one_block(void **state)
{
	static const size_t sizes[] = { 0, 1, 240, 241, 1024, 4096, TEXT_BYTES };
	static const size_t pieces[] = { 1, 7, 64, 256, TEXT_BYTES };

	(void)state;
	make_text();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
			struct hash_stream *stream = hash_stream_new();

			assert_non_null(stream);
			add_in_pieces(stream, sizes[i], pieces[j]);
			assert_int_equal(hash_stream_result(stream),
					 hash_block(bytes_make(text, sizes[i])));
			hash_stream_free(stream);
		}
	hash_stream_free(NULL);
}

static void a_stream_goes_on_after_a_result(void **state)
{
	struct hash_stream *stream = hash_stream_new();

	(void)state;
	assert_non_null(stream);
	hash_stream_add(stream, bytes_of("an"));
	assert_int_equal(hash_stream_result(stream), hash_block(bytes_of("an")));
	hash_stream_add(stream, bytes_of("n"));
	assert_int_equal(hash_stream_result(stream), hash_block(bytes_of("ann")));
	hash_stream_free(stream);
}

static void seeds_differ(void **state)
{
	uint64_t first = 0, second = 0;

	(void)state;
	assert_true(hash_random_seed(&first));
	assert_true(hash_random_seed(&second));
	assert_int_not_equal(first, second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_xxh3),
		cmocka_unit_test(each_seed_is_another_hash),
		cmocka_unit_test(pieces_are_one_block),
		cmocka_unit_test(a_stream_goes_on_after_a_result),
		cmocka_unit_test(seeds_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
