/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/line_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct line_map map;

static int begin(void **state)
{
	(void)state;
	line_map_init(&map);
	return 0;
}

static int end(void **state)
{
	(void)state;
	line_map_free(&map);
	return 0;
}

static uint32_t add_line(uint32_t line)
{
	uint32_t global_line;

	assert_true(line_map_add_line(&map, line, &global_line));
	return global_line;
}

static void is_at(uint32_t global_line, const char *path, uint32_t line)
{
	uint32_t found;

	assert_string_equal(line_map_find(&map, global_line, &found), path);
	assert_int_equal(found, line);
}

static void is_nowhere(uint32_t global_line)
{
	uint32_t line = 7;

	assert_null(line_map_find(&map, global_line, &line));
	assert_int_equal(line, 0);
}

static void lines_are_counted_on(void **state)
{
	uint32_t first, last, next;

	(void)state;
	assert_true(line_map_add_source(&map, "/a"));
	first = add_line(1);
	last = add_line(100);
	assert_int_equal(last - first, 99);
	assert_true(line_map_add_source(&map, "/b"));
	next = add_line(1);
	assert_true(next > last);
	is_at(first, "/a", 1);
	is_at(next - 1, "/b", 0); /* all of the file */
	is_at(last, "/a", 100);
	is_at(next, "/b", 1);
	is_at(next + 41, "/b", 42);
}

/* Rows may come in another order than their lines, as those of a virtusertable. */
static void the_highest_line_ends_a_source(void **state)
{
	uint32_t highest;

	(void)state;
	assert_true(line_map_add_source(&map, "/a"));
	highest = add_line(50);
	(void)add_line(2);
	assert_int_equal(map.last_line, highest);
	assert_true(line_map_add_source(&map, "/b"));
	is_at(add_line(1), "/b", 1);
	is_at(highest, "/a", 50);
}

static void a_source_may_be_empty(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(line_map_add_source(&map, "/empty"));
	assert_true(line_map_add_source(&map, "/b"));
	is_at(add_line(3), "/b", 3);
	assert_true(line_map_add_source(&map, "/empty"));
	assert_true(line_map_add_source(&map, "/c"));
	is_at(add_line(1), "/c", 1);
}

static void line_0_is_nowhere(void **state)
{
	(void)state;
	is_nowhere(0);
	is_nowhere(1);
	assert_true(line_map_add_source(&map, "/a"));
	is_nowhere(0);
	line_map_clear(&map);
	is_nowhere(1);
}

static void there_are_no_more_lines_than_a_table_can_tell(void **state)
{
	uint32_t global_line = 7;
	uint32_t most;

	(void)state;
	assert_true(line_map_add_source(&map, "/a"));
	most = UINT32_MAX - map.sources[0].first_line;
	assert_false(line_map_add_line(&map, UINT32_MAX, &global_line));
	assert_int_equal(global_line, 7);
	assert_int_equal(map.last_line, 0);
	assert_int_equal(add_line(most), UINT32_MAX);
	is_at(UINT32_MAX, "/a", most);
}

static void a_source_may_have_several_names(void **state)
{
	uint32_t lines[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		if (i % 2 == 0)
			line_map_begin_source(&map);
		assert_true(line_map_add_source(&map, i == 1 ? "/same" : "/a"));
		lines[i] = add_line(3);
	}
	assert_true(line_map_is_same_source(&map, lines[0], lines[1]));
	assert_true(line_map_is_same_source(&map, lines[3], lines[2] - 1));
	assert_false(line_map_is_same_source(&map, lines[1], lines[2]));
	assert_false(line_map_is_same_source(&map, lines[0], lines[3]));
	assert_false(line_map_is_same_source(&map, 0, 0));
}

static void it_begins_anew(void **state)
{
	(void)state;
	assert_true(line_map_add_source(&map, "/a"));
	(void)add_line(1000);
	line_map_clear(&map);
	assert_true(line_map_add_source(&map, "/b"));
	is_at(add_line(1), "/b", 1);
	is_at(1000, "/b", 1000 - map.sources[0].first_line);
	line_map_free(&map);
	line_map_free(&map);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_counted_on),
		TEST(the_highest_line_ends_a_source),
		TEST(a_source_may_be_empty),
		TEST(line_0_is_nowhere),
		TEST(there_are_no_more_lines_than_a_table_can_tell),
		TEST(a_source_may_have_several_names),
		TEST(it_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
