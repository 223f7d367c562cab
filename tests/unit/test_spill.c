/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_write/spill.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "scratch.h"

enum { CHUNK = 65536, PARTITIONS = 4 };

static struct spill *spill;
static struct error err;

static int begin(void **state)
{
	if (scratch_begin(state) != 0)
		return -1;
	spill = spill_new(PARTITIONS, scratch_folder, &err);
	return spill == NULL;
}

static int end(void **state)
{
	spill_free(spill);
	return scratch_end(state);
}

/* What stands at AT of partition NUMBER: another byte at each place, and in each partition. */
static unsigned char wanted(size_t number, size_t at)
{
	return (unsigned char)(at * 31 + at / 251 + number);
}

static void add(size_t number, size_t size)
{
	size_t before = spill_bytes(spill, number);
	unsigned char *at = spill_append(spill, number, size, &err);

	assert_non_null(at);
	for (size_t i = 0; i < size; i++)
		at[i] = wanted(number, before + i);
	assert_int_equal(spill_bytes(spill, number), before + size);
}

/* All of it comes back, in its order, once. */
static void take(size_t number)
{
	size_t size = spill_bytes(spill, number);
	unsigned char *out = malloc(size + 1);

	assert_non_null(out);
	out[size] = 0xee;
	assert_true(spill_take(spill, number, out, &err));
	for (size_t i = 0; i < size; i++)
		if (out[i] != wanted(number, i))
			fail_msg("byte %zu of %zu in partition %zu", i, size, number);
	assert_int_equal(out[size], 0xee);
	assert_int_equal(spill_bytes(spill, number), 0);
	free(out);
}

static void take_all(void)
{
	for (size_t i = 0; i < PARTITIONS; i++)
		take(i);
}

static unsigned count_names(void)
{
	DIR *folder = opendir(scratch_folder);
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	assert_int_equal(closedir(folder), 0);
	return count - 2; /* `.` and `..` */
}

static void little_needs_no_file(void **state)
{
	(void)state;
	spill_free(spill);
	spill = spill_new(PARTITIONS, "/nonexistent", &err);
	assert_non_null(spill);
	for (size_t i = 0; i < PARTITIONS - 1; i++) {
		add(i, 1);
		add(i, CHUNK - 1);
	}
	take_all();
}

static void a_chunk_is_full_at_its_last_byte(void **state)
{
	(void)state;
	add(0, CHUNK);
	add(0, 1);
	add(1, CHUNK - 1);
	add(1, 1);
	add(1, 1);
	add(2, CHUNK - 1);
	add(2, 2);
	add(3, CHUNK);
	take_all();
}

static void partitions_that_grow_side_by_side_stay_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < 40000; i++)
		add(i * i % PARTITIONS, i % 50 + 1);
	take_all();
}

static void a_string_may_be_larger_than_a_chunk(void **state)
{
	(void)state;
	add(0, CHUNK + 1);
	add(1, 10);
	add(1, CHUNK * 3);
	add(1, 10);
	add(1, CHUNK * 2);
	add(1, CHUNK * 4);
	add(1, CHUNK - 1);
	add(2, CHUNK * 2);
	add(2, CHUNK * 2);
	take_all();
}

static void the_file_has_no_name(void **state)
{
	(void)state;
	add(0, CHUNK);
	add(0, CHUNK);
	assert_int_equal(count_names(), 0);
	take(0);
}

static void where_there_is_no_folder_it_fails(void **state)
{
	(void)state;
	spill_free(spill);
	spill = spill_new(PARTITIONS, "/nonexistent", &err);
	assert_non_null(spill);
	add(0, CHUNK);
	assert_null(spill_append(spill, 0, 1, &err));
	assert_int_equal(err.status, EX_CANTCREAT);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

static void where_there_is_no_room_it_fails(void **state)
{
	struct rlimit before, small;
	const unsigned char *at;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = CHUNK + CHUNK / 2;
	(void)signal(SIGXFSZ, SIG_IGN);
	add(0, CHUNK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	add(0, CHUNK);
	at = spill_append(spill, 0, 1, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_null(at);
	assert_int_equal(err.status, EX_IOERR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(little_needs_no_file),
		TEST(a_chunk_is_full_at_its_last_byte),
		TEST(partitions_that_grow_side_by_side_stay_apart),
		TEST(a_string_may_be_larger_than_a_chunk),
		TEST(the_file_has_no_name),
		TEST(where_there_is_no_folder_it_fails),
		TEST(where_there_is_no_room_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
