/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed must read back as what it was. */
#include "show/print.h"

#include "read_source.h"

#define USUAL (TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL)

static void print(const struct table_pattern *pattern, struct buffer *out)
{
	buffer_init(out, 1 << 16);
	print_pattern_key(pattern, out);
	if (pattern->kind == TABLE_PATTERN_RULE) {
		buffer_append_byte(out, '\t');
		assert_int_equal(print_pattern_value(pattern, out), LOOKUP_FOUND);
	}
	buffer_append_byte(out, '\n');
	assert_false(out->has_failed);
}

/* As read_source.h shows a rule on line 1. */
static char *as_row(const struct table_pattern *pattern)
{
	const struct source_row row = {
		.kind = SOURCE_ROW_PATTERN,
		.line = 1,
		.value = pattern->value,
		.pattern = { .kind = pattern->kind,
			     .flags = pattern->flags,
			     .expression = pattern->expression },
	};
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	source_print_row(&row, stream);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void reads_back(unsigned flags, const char *expression)
{
	const struct table_pattern pattern = { .kind = TABLE_PATTERN_RULE,
					       .flags = flags,
					       .expression = bytes_of(expression),
					       .value = bytes_of("x@far.test") };
	char *expected = as_row(&pattern);
	struct buffer printed;

	print(&pattern, &printed);
	source_gives("pcre", NULL, printed.data, expected);
	buffer_free(&printed);
	free(expected);
}

static void each_flag_reads_back(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 2 * TABLE_PATTERN_UNGREEDY; flags++)
		reads_back(flags, "^a@b\\.test$");
}

static void each_character_reads_back(void **state)
{
	(void)state;
	for (char c = ' '; c < 0x7f; c++) {
		char expression[] = { '[', c, ']', '\0' };

		if (c != '\\' && c != '^')
			reads_back(USUAL, expression);
	}
	reads_back(USUAL, "a\\/b\\|c\\#d\\~e");
	reads_back(USUAL, "m\303\274ller");
}

/* Whatever is used for a delimiter must not be in the expression. */
static void some_delimiter_is_left(void **state)
{
	(void)state;
	reads_back(USUAL, "/|#~,;=");
	reads_back(USUAL, "[!#%&'*+/=?^_`{|}~-]+@a[,;:].test");
	reads_back(USUAL | TABLE_PATTERN_NEGATED, "[/|#~,;=!]");
}

/* ---- the second column -------------------------------------------------------------------- */

static void prints(struct table_pattern pattern, const char *expected)
{
	struct buffer printed;

	pattern.flags |= USUAL;
	print(&pattern, &printed);
	assert_string_equal(printed.data, expected);
	buffer_free(&printed);
}

static void each_result_has_its_text(void **state)
{
	(void)state;
	prints((struct table_pattern){ .expression = bytes_of("a"),
				       .result = TABLE_ENTRY_REPLY,
				       .value = bytes_of("550 5.2.1 No") },
	       "/a/\terror:5.2.1:550 No\n");
	prints((struct table_pattern){ .expression = bytes_of("a"),
				       .result = TABLE_ENTRY_DISCARD,
				       .value = bytes_of("whatever") },
	       "/a/\tdiscard:\n");
	prints((struct table_pattern){ .expression = bytes_of("a"),
				       .exception = bytes_of("b/"),
				       .value = bytes_of("$1@x") },
	       "/a/!|b/|\t$1@x\n");
}

static void blocks_have_one_column(void **state)
{
	(void)state;
	prints((struct table_pattern){ .kind = TABLE_PATTERN_IF, .expression = bytes_of("a") },
	       "if /a/\n");
	prints((struct table_pattern){ .kind = TABLE_PATTERN_IF,
				       .flags = TABLE_PATTERN_NEGATED,
				       .expression = bytes_of("a") },
	       "if !/a/\n");
	prints((struct table_pattern){ .kind = TABLE_PATTERN_ENDIF }, "endif\n");
}

static void a_result_that_is_none_is_damage(void **state)
{
	const struct table_pattern pattern = { .result = (enum table_entry_kind)9 };
	struct buffer printed;

	(void)state;
	buffer_init(&printed, 100);
	assert_int_equal(print_pattern_value(&pattern, &printed), LOOKUP_BROKEN);
	buffer_free(&printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(each_flag_reads_back),
		SOURCE_TEST(each_character_reads_back),
		SOURCE_TEST(some_delimiter_is_left),
		cmocka_unit_test(each_result_has_its_text),
		cmocka_unit_test(blocks_have_one_column),
		cmocka_unit_test(a_result_that_is_none_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
