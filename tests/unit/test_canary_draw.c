/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/canary_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEED = 9, MANY = 1000, HEAD_BYTES = 11, ABSENT = 8 };

static struct canary_draw draw;
static struct domain_set domains;
static uint32_t domain;
static uint32_t other_domain;

static int begin(void **state)
{
	(void)state;
	canary_draw_init(&draw, SEED);
	if (!domain_set_init(&domains, SEED))
		return -1;
	domain = domain_set_add(&domains, bytes_of("a.test"));
	other_domain = domain_set_add(&domains, bytes_of("b.test"));
	return domain == 0 || other_domain == 0;
}

static int end(void **state)
{
	(void)state;
	canary_draw_free(&draw);
	domain_set_free(&domains);
	return 0;
}

static void offer(uint64_t hash, const char *local, uint32_t line)
{
	const struct writer_entry entry = {
		.kind = TABLE_ENTRY_REPLY,
		.local = bytes_of(local),
		.domain = domain,
		.global_line = line,
		.reply = bytes_of("550 5.2.1 No"),
	};

	assert_true(canary_draw_offer(&draw, hash, &entry));
}

static void offer_many(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char local[20];

		(void)snprintf(local, sizeof(local), "u%u", i);
		offer(i * UINT64_C(0x517cc1b727220a95), local, i + 1);
	}
}

/* How many canaries the section has; OUT_FOUND: of them, those that must be found. */
static size_t count_printed(size_t *out_found)
{
	struct buffer section;
	struct bytes rest;
	size_t count = 0;

	*out_found = 0;
	buffer_init(&section, 1 << 20);
	assert_true(canary_draw_print(&draw, &domains, &section));
	for (rest = buffer_bytes(&section); rest.size > 0; count++) {
		size_t size = HEAD_BYTES;

		assert_true(rest.size >= HEAD_BYTES);
		size += (unsigned char)rest.data[1] + (unsigned char)rest.data[2];
		assert_true(rest.size >= size);
		*out_found += rest.data[0] == 1;
		/* An absent one looks like no key that anybody would write. */
		assert_int_equal(
			bytes_begin_with(bytes_skip(rest, HEAD_BYTES + 6), bytes_of("canary.")),
			rest.data[0] == 0);
		rest = bytes_skip(rest, size);
	}
	buffer_free(&section);
	return count;
}

static void of_few_all_are_drawn(void **state)
{
	size_t found;

	(void)state;
	assert_int_equal(count_printed(&found), 0);
	offer_many(3);
	assert_int_equal(draw.count, 3);
	assert_int_equal(draw.limit, UINT64_MAX);
	assert_int_equal(count_printed(&found), 6);
	assert_int_equal(found, 3);
}

static int compare_orders(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a;
	uint64_t second = *(const uint64_t *)b;

	return (first > second) - (first < second);
}

static void of_many_the_least_are_drawn(void **state)
{
	uint64_t wanted[MANY], drawn[CANARY_DRAW_MAX];
	size_t found;

	(void)state;
	offer_many(MANY);
	for (unsigned i = 0; i < MANY; i++)
		wanted[i] = i * UINT64_C(0x517cc1b727220a95) * UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned i = 0; i < CANARY_DRAW_MAX; i++)
		drawn[i] = draw.all[i].order;
	qsort(wanted, MANY, sizeof(wanted[0]), compare_orders);
	qsort(drawn, CANARY_DRAW_MAX, sizeof(drawn[0]), compare_orders);
	assert_memory_equal(drawn, wanted, sizeof(drawn));
	assert_int_equal(draw.limit, wanted[CANARY_DRAW_MAX - 1]);
	assert_int_equal(count_printed(&found), CANARY_DRAW_MAX + ABSENT);
	assert_int_equal(found, CANARY_DRAW_MAX);
}

/* Of two with one key, the line tells which was dropped. */
static void only_the_dropped_one_goes(void **state)
{
	size_t found;

	(void)state;
	offer(1, "ann", 1);
	offer(1, "ann", 2);
	offer(2, "bob", 2);
	canary_draw_drop(&draw, other_domain, bytes_of("ann"), 2);
	canary_draw_drop(&draw, domain, bytes_of("an"), 2);
	canary_draw_drop(&draw, domain, bytes_of("ann"), 3);
	(void)count_printed(&found);
	assert_int_equal(found, 3);
	canary_draw_drop(&draw, domain, bytes_of("ann"), 2);
	(void)count_printed(&found);
	assert_int_equal(found, 2);
	assert_memory_equal(draw.all[0].bytes, "ann", 3);
	assert_null(draw.all[1].bytes);
	assert_memory_equal(draw.all[2].bytes, "bob", 3);
}

static void a_catch_all_is_drawn_too(void **state)
{
	size_t found;

	(void)state;
	offer(1, "", 1);
	assert_int_equal(count_printed(&found), 2);
	assert_int_equal(found, 1);
}

static void a_full_section_is_told(void **state)
{
	struct buffer section;

	(void)state;
	offer_many(CANARY_DRAW_MAX);
	for (size_t limit = 0; limit < 600; limit++) {
		buffer_init(&section, limit);
		assert_false(canary_draw_print(&draw, &domains, &section));
		buffer_free(&section);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_few_all_are_drawn),      TEST(of_many_the_least_are_drawn),
		TEST(only_the_dropped_one_goes), TEST(a_catch_all_is_drawn_too),
		TEST(a_full_section_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
