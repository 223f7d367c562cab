/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/raw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* What goes in comes out, and takes HEAD bytes besides. */
static void holds(size_t local_size, size_t payload_size, uint32_t targets, size_t head)
{
	char text[1000];
	struct bytes local = bytes_make(text, local_size);
	struct bytes payload = bytes_make(text + local_size, payload_size);
	size_t size = raw_size_for(local_size, payload_size, targets);
	unsigned char *raw = malloc(size); /* of its size, for sanitizers to see */

	assert_non_null(raw);
	assert_int_equal(size, head + local_size + payload_size);
	memset(text, 'l', local_size);
	memset(text + local_size, 'p', payload_size);
	le64_store(raw + RAW_HASH, UINT64_C(0x123456789abcdef0));
	le32_store(raw + RAW_GLOBAL_LINE, UINT32_MAX);
	le32_store(raw + RAW_KEY, DOMAIN_REF_MAX | (uint32_t)local_size << 24);
	raw_fill(raw, TABLE_ENTRY_REPLY | RAW_YIELDS, local, payload, targets);
	assert_int_equal(raw_hash(raw), UINT64_C(0x123456789abcdef0));
	assert_int_equal(raw_global_line(raw), UINT32_MAX);
	assert_int_equal(raw_domain(raw), DOMAIN_REF_MAX);
	assert_int_equal(raw_kind(raw), TABLE_ENTRY_REPLY);
	assert_true(raw_yields(raw));
	assert_int_equal(raw_targets(raw), targets);
	assert_int_equal(raw_size(raw), size);
	assert_true(bytes_equal(raw_local(raw), local));
	assert_true(bytes_equal(raw_payload(raw), payload));
	free(raw);
}

static void small_ones_have_a_small_head(void **state)
{
	(void)state;
	holds(0, 0, 0, RAW_HEAD);
	holds(1, 1, 1, RAW_HEAD);
	holds(KEY_LOCAL_MAX, UINT8_MAX, UINT8_MAX, RAW_HEAD);
}

static void large_ones_have_a_wide_head(void **state)
{
	(void)state;
	holds(KEY_LOCAL_MAX, UINT8_MAX + 1, 1, RAW_WIDE_HEAD);
	holds(1, 1, UINT8_MAX + 1, RAW_WIDE_HEAD);
	holds(0, 500, 1000000, RAW_WIDE_HEAD);
}

static void each_kind_is_kept_beside_the_marks(void **state)
{
	static const enum table_entry_kind kinds[] = { TABLE_ENTRY_TARGETS, TABLE_ENTRY_REPLY,
						       TABLE_ENTRY_DISCARD };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (size_t size = 0; size <= 300; size += 300) {
			static const char payload[300];
			unsigned char raw[RAW_WIDE_HEAD + sizeof(payload)] = { 0 };

			raw_fill(raw, kinds[i], bytes_make("", 0), bytes_make(payload, size), 1);
			assert_int_equal(raw_kind(raw), kinds[i]);
			assert_false(raw_yields(raw));
			assert_int_equal(raw_is_wide(raw), size > 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_ones_have_a_small_head),
		cmocka_unit_test(large_ones_have_a_wide_head),
		cmocka_unit_test(each_kind_is_kept_beside_the_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
