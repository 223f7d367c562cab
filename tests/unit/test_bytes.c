/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes compared and copied, a few or sixteen at once, at every size and place. */
#include "base/bytes.h"
#include "base/sixteen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 80 };

/* Blocks of exactly the size, so that a sanitizer sees what goes past them. */
static unsigned char *make_block(size_t size, unsigned char first)
{
	unsigned char *block = malloc(size > 0 ? size : 1);

	assert_non_null(block);
	for (size_t i = 0; i < size; i++)
		block[i] = (unsigned char)(first + i);
	return block;
}

static void a_copy_is_the_same_and_no_more(void **state)
{
	unsigned char unharmed = 1;

	(void)state;
	/* Of nothing, which may be nowhere: UBSan of clang looks on. */
	bytes_copy(&unharmed, NULL, 0);
	assert_int_equal(unharmed, 1);
	for (size_t size = 0; size <= MOST; size++) {
		unsigned char *from = make_block(size, 1);
		unsigned char *to = make_block(size + 2, 100);

		bytes_copy(to + 1, from, size);
		assert_memory_equal(to + 1, from, size);
		assert_int_equal(to[0], 100);
		assert_int_equal(to[size + 1], (unsigned char)(100 + size + 1));
		free(from);
		free(to);
	}
}

static void one_other_byte_is_seen(void **state)
{
	(void)state;
	for (size_t size = 0; size <= MOST; size++) {
		unsigned char *a = make_block(size, 1);
		unsigned char *b = make_block(size, 1);

		assert_true(bytes_same(a, b, size));
		for (size_t i = 0; i < size; i++) {
			b[i] ^= 0x80;
			assert_false(bytes_same(a, b, size));
			b[i] ^= 0x80;
		}
		free(a);
		free(b);
	}
}

static void each_byte_of_sixteen_is_judged(void **state)
{
	static const unsigned char edges[] = { 0, 1, 'a' - 1, 'a', 'z', 'z' + 1, 0x7f, 0x80, 0xff };

	(void)state;
	for (unsigned place = 0; place < SIXTEEN; place++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			unsigned char block[SIXTEEN];
			struct sixteen these;

			memset(block, (int)(byte ^ 0x55), sizeof(block));
			block[place] = (unsigned char)byte;
			these = sixteen_load(block);
			assert_int_equal(sixteen_bits(sixteen_equal(these, (unsigned char)byte)),
					 1u << place);
			assert_int_equal(sixteen_first(sixteen_bits(
						 sixteen_equal(these, (unsigned char)byte))),
					 place);
			for (size_t i = 0; i < sizeof(edges); i++) {
				bool is_in = byte >= edges[i] && byte <= 0xf0;
				bool is_around = byte >= 0xf0 || byte <= edges[i];
				uint32_t bits;

				if (edges[i] > 0xf0)
					continue;
				bits = sixteen_bits(sixteen_between(these, edges[i], 0xf0));
				assert_int_equal(bits >> place & 1, is_in);
				/* Over 255. */
				bits = sixteen_bits(sixteen_between(these, 0xf0, edges[i]));
				assert_int_equal(bits >> place & 1, is_around);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_the_same_and_no_more),
		cmocka_unit_test(one_other_byte_is_seen),
		cmocka_unit_test(each_byte_of_sixteen_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
