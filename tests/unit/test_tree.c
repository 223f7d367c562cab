/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct tree tree;
static struct buffer out;

static int begin(void **state)
{
	(void)state;
	tree_init(&tree);
	buffer_init(&out, 1 << 24);
	return 0;
}

static int end(void **state)
{
	(void)state;
	tree_free(&tree);
	buffer_free(&out);
	return 0;
}

static void add(size_t level, const char *name, enum tree_kind kind)
{
	tree_add(&tree, &(struct tree_item){ .level = level,
					     .id = bytes_of(name),
					     .label = bytes_of(name),
					     .kind = kind });
}

static void assert_out(const char *expected)
{
	assert_false(out.has_failed);
	if (!bytes_equal(buffer_bytes(&out), bytes_of(expected)))
		fail_msg("%.*s\ninstead of\n%s", (int)out.size, out.data, expected);
	buffer_clear(&out);
}

static void branches_end_at_the_last_child(void **state)
{
	(void)state;
	add(0, "root", TREE_ROOT);
	add(1, "a", TREE_WAY);
	add(2, "aa", TREE_WAY);
	add(3, "aaa", TREE_RECIPIENT);
	add(2, "ab", TREE_RECIPIENT);
	add(1, "b", TREE_WAY);
	add(2, "ba", TREE_WAY);
	add(3, "baa", TREE_RECIPIENT);
	tree_print_text(&tree, false, &out);
	assert_out("\troot\n"
		   "\t|-- a\n"
		   "\t|   |-- aa\n"
		   "\t|   |   `-- aaa\n"
		   "\t|   `-- ab\n"
		   "\t`-- b\n"
		   "\t    `-- ba\n"
		   "\t        `-- baa\n");
}

static void a_line_has_what_there_is(void **state)
{
	static const struct tree_item whole = { .id = { .data = "i", .size = 1 },
						.label = { .data = "l", .size = 1 },
						.place = { .data = "p:1", .size = 3 },
						.note = { .data = "n", .size = 1 },
						.kind = TREE_NOWHERE };

	(void)state;
	tree_add(&tree, &whole);
	tree_print_text(&tree, false, &out);
	assert_out("\tl  p:1  n\n");
	tree_print_text(&tree, true, &out);
	assert_out("\t\033[31ml\033[0m  \033[36mp:1\033[0m  \033[2mn\033[0m\n");
	tree_print_dot(&tree, bytes_make(NULL, 0), &out);
	assert_out("\t\"i\" [label=\"l\\np:1\\nn\", color=red];\n");
	tree_clear(&tree);
	tree_print_text(&tree, false, &out);
	tree_print_dot(&tree, bytes_of("why"), &out);
	assert_out("");
}

/* An item that was there before is an edge alone, and one that leads to itself keeps its label. */
static void an_id_is_one_node(void **state)
{
	(void)state;
	add(0, "a", TREE_ROOT);
	add(1, "b", TREE_WAY);
	add(2, "b", TREE_ITSELF);
	add(1, "a", TREE_REPEATED);
	tree_print_dot(&tree, bytes_of("\"why\""), &out);
	assert_out("\t\"a\" [label=\"a\", style=bold];\n"
		   "\t\"b\" [label=\"b\"];\n"
		   "\t\"a\" -> \"b\";\n"
		   "\t\"b\" [shape=ellipse, color=darkgreen];\n"
		   "\t\"b\" -> \"b\";\n"
		   "\t\"a\" -> \"a\";\n"
		   "\t\"a (reason)\" [label=\"\\\"why\\\"\", shape=note, color=red];\n"
		   "\t\"a\" -> \"a (reason)\" [style=dashed, color=red];\n");
}

static void a_deep_tree_is_printed_to_its_end(void **state)
{
	enum { DEPTH = 1000 };

	(void)state;
	for (size_t i = 0; i < DEPTH; i++)
		add(i, "x", TREE_WAY);
	add(1, "y", TREE_RECIPIENT);
	tree_print_text(&tree, false, &out);
	assert_false(out.has_failed);
	assert_int_equal(bytes_index(buffer_bytes(&out), 'y'), out.size - 2);
}

static void no_room_is_told(void **state)
{
	(void)state;
	add(0, "root", TREE_ROOT);
	add(1, "a", TREE_WAY);
	for (size_t limit = 0; limit < 10; limit++) {
		struct buffer small;

		buffer_init(&small, limit);
		tree_print_text(&tree, false, &small);
		assert_true(small.has_failed);
		buffer_free(&small);
		buffer_init(&small, limit);
		tree_print_dot(&tree, bytes_make(NULL, 0), &small);
		assert_true(small.has_failed);
		buffer_free(&small);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(branches_end_at_the_last_child),
		TEST(a_line_has_what_there_is),
		TEST(an_id_is_one_node),
		TEST(a_deep_tree_is_printed_to_its_end),
		TEST(no_room_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
