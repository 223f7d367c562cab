/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/domain_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/le.h"
#include "table/format.h"
#include "table/table.h"

enum { SEED = 5, MANY = 20000 };

static struct domain_set set;

static int begin(void **state)
{
	(void)state;
	return domain_set_init(&set, SEED) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	domain_set_free(&set);
	return 0;
}

static uint32_t add(const char *name)
{
	uint32_t ref = domain_set_add(&set, bytes_of(name));

	assert_int_not_equal(ref, 0);
	assert_true(bytes_equal(domain_set_name(&set, ref), bytes_of(name)));
	return ref;
}

/* The name of NUMBER: of any size that is usual, and like its neighbours. */
static const char *name_of(unsigned number)
{
	static char name[64];

	(void)snprintf(name, sizeof(name), "%.*s%u.test", (int)(number % 40),
		       "a-name-that-begins-as-all-the-others-do.", number);
	return name;
}

static void each_name_is_there_once(void **state)
{
	uint32_t first = add("a.test");
	uint32_t second = add("b.test");

	(void)state;
	assert_int_not_equal(first, second);
	assert_int_equal(add("a.test"), first);
	assert_int_equal(add("b.test"), second);
	assert_int_equal(set.count, 2);
	assert_int_equal(domain_set_find(&set, bytes_of("a.test")), first);
	assert_int_equal(domain_set_find(&set, bytes_of("c.test")), 0);
	assert_int_equal(set.count, 2);
}

/* The place of bare keys. */
static void a_name_may_be_empty(void **state)
{
	uint32_t ref;

	(void)state;
	assert_int_equal(domain_set_find(&set, bytes_make(NULL, 0)), 0);
	ref = domain_set_add(&set, bytes_make(NULL, 0));
	assert_int_not_equal(ref, 0);
	assert_int_equal(domain_set_find(&set, bytes_make(NULL, 0)), ref);
	assert_int_equal(domain_set_name(&set, ref).size, 0);
}

static void a_name_has_255_bytes_and_no_more(void **state)
{
	char name[256];
	uint32_t ref;

	(void)state;
	memset(name, 'd', sizeof(name));
	ref = domain_set_add(&set, bytes_make(name, 255));
	assert_int_not_equal(ref, 0);
	assert_int_equal(domain_set_name(&set, ref).size, 255);
	assert_int_equal(domain_set_add(&set, bytes_make(name, 256)), 0);
	assert_int_equal(domain_set_find(&set, bytes_make(name, 256)), 0);
	assert_false(domain_set_is_full(&set));
	assert_int_equal(set.count, 1);
}

/* The short cut looks at the first and last 8 bytes alone before it compares. */
static void names_with_the_same_ends_are_told_apart(void **state)
{
	uint32_t first = add("mail-of.1.example.test");
	uint32_t second = add("mail-of.2.example.test");

	(void)state;
	assert_int_not_equal(first, second);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(add("mail-of.1.example.test"), first);
		assert_int_equal(add("mail-of.2.example.test"), second);
	}
}

static void places_stay_while_it_grows(void **state)
{
	static uint32_t refs[MANY];
	uint32_t ref = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		refs[i] = add(name_of(i));
	assert_int_equal(set.count, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(domain_set_find(&set, bytes_of(name_of(i))), refs[i]);
		assert_true(bytes_equal(domain_set_name(&set, refs[i]), bytes_of(name_of(i))));
		/* The walk meets them in the order in which they came. */
		ref = domain_set_next(&set, ref);
		assert_int_equal(ref, refs[i]);
	}
	assert_int_equal(domain_set_next(&set, ref), 0);
	assert_int_equal(domain_set_bytes(&set).size % DOMAIN_UNIT, 0);
}

static void a_walk_over_nothing_ends_at_once(void **state)
{
	(void)state;
	assert_int_equal(domain_set_next(&set, 0), 0);
}

static void flags_add_up(void **state)
{
	uint32_t first = add("a.test");
	uint32_t second = add("b.test");

	(void)state;
	assert_int_equal(domain_set_flags(&set, first), 0);
	domain_set_add_flags(&set, first, TABLE_DOMAIN_ALIAS);
	domain_set_add_flags(&set, first, TABLE_DOMAIN_CATCH_ALL);
	domain_set_catch_all(&set, first, UINT32_MAX);
	assert_int_equal(domain_set_flags(&set, first),
			 TABLE_DOMAIN_ALIAS | TABLE_DOMAIN_CATCH_ALL);
	assert_int_equal(domain_set_flags(&set, second), 0);
	assert_true(bytes_equal(domain_set_name(&set, first), bytes_of("a.test")));
	assert_int_equal(
		le32_load(domain_set_bytes(&set).data + first * DOMAIN_UNIT + DOMAIN_CATCH_ALL),
		UINT32_MAX);
}

static void hashes_are_those_of_the_names(void **state)
{
	uint32_t refs[2] = { add("a.test"), add("b.test") };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		uint32_t ref = refs[i % 4 / 2]; /* the last is remembered */

		assert_int_equal(domain_set_hash(&set, ref),
				 hash_key(domain_set_name(&set, ref), SEED));
	}
}

/* ---- the index ---------------------------------------------------------------------------- */

/* As a reader looks NAME up: from its bucket on to one with a free slot. */
static uint32_t look_up(const unsigned char *index, size_t size, struct bytes name)
{
	uint64_t buckets = size / BUCKET_BYTES;
	uint64_t hash = hash_key(name, SEED);
	uint64_t bucket = format_high64(hash, buckets);

	for (uint64_t tries = 0; tries < buckets; tries++, bucket = (bucket + 1) % buckets)
		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			const unsigned char *slots = index + bucket * BUCKET_BYTES;
			uint32_t reference = le32_load(slots + BUCKET_REFS + i * 4);

			if (reference == 0)
				return 0;
			if (le32_load(slots + i * 4) == (uint32_t)hash &&
			    bytes_equal(domain_set_name(&set, reference >> BUCKET_REF_FLAG_BITS),
					name))
				return reference;
		}
	return 0;
}

static void the_index_has_those_that_are_probed(void **state)
{
	unsigned char *index;
	size_t size;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		uint32_t ref = add(name_of(i));

		if (i % 3 != 0)
			domain_set_add_flags(&set, ref, TABLE_DOMAIN_PROBED);
		/* Flags that aren't for the index, which has room for two. */
		domain_set_add_flags(&set, ref, TABLE_DOMAIN_ALIAS | (i % 2));
	}
	index = domain_set_index(&set, &size);
	assert_non_null(index);
	assert_int_equal(size % BUCKET_BYTES, 0);
	for (unsigned i = 0; i < MANY; i++) {
		struct bytes name = bytes_of(name_of(i));
		uint32_t reference = look_up(index, size, name);
		uint32_t expected = domain_set_find(&set, name) << BUCKET_REF_FLAG_BITS | (i % 2);

		assert_int_equal(reference, i % 3 == 0 ? 0 : expected);
	}
	free(index);
}

static void an_index_of_nothing_has_a_bucket(void **state)
{
	unsigned char *index;
	size_t size;

	(void)state;
	(void)add("a.test");
	index = domain_set_index(&set, &size);
	assert_non_null(index);
	assert_int_equal(size, BUCKET_BYTES);
	assert_int_equal(look_up(index, size, bytes_of("a.test")), 0);
	free(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_name_is_there_once),
		TEST(a_name_may_be_empty),
		TEST(a_name_has_255_bytes_and_no_more),
		TEST(names_with_the_same_ends_are_told_apart),
		TEST(places_stay_while_it_grows),
		TEST(a_walk_over_nothing_ends_at_once),
		TEST(flags_add_up),
		TEST(hashes_are_those_of_the_names),
		TEST(the_index_has_those_that_are_probed),
		TEST(an_index_of_nothing_has_a_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
