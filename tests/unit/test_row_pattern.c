/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_pattern.h"

#include "build_rows.h"

#define WRONG BUILD_PATH ":1: "

static void add(enum table_pattern_kind kind, unsigned flags, const char *expression,
		const char *value)
{
	struct source_row row = {
		.kind = SOURCE_ROW_PATTERN,
		.value = bytes_of(value),
		.pattern = { .kind = kind, .flags = flags, .expression = bytes_of(expression) },
	};
	const struct table_pattern pattern = {
		.kind = kind,
		.flags = flags,
		.expression = bytes_of(expression),
	};

	/* As an importer does, who compiles it. */
	if (kind != TABLE_PATTERN_ENDIF)
		assert_true(table_pattern_check(&pattern, &row.pattern.group_count, NULL));
	if ((flags & TABLE_PATTERN_NEGATED) != 0)
		row.pattern.group_count = 0;
	assert_true(building_add(row));
}

static void gives_at(unsigned flags, const char *expression, const char *value,
		     const char *expected, int line)
{
	building_begin("", false);
	add(TABLE_PATTERN_RULE, TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL | flags, expression,
	    value);
	if (strcmp(building_end(), expected) != 0) {
		print_error("%s %s\ngives\n%sand not\n%s", expression, value, building.text,
			    expected);
		_fail(__FILE__, line);
	}
}

#define gives(flags, expression, value, expected)                                                  \
	gives_at(flags, expression, value, expected, __LINE__)

static void a_rule_is_filed_under_its_domain(void **state)
{
	(void)state;
	gives(0, "^list-(.*)@A\\.test$", "$1@far.test",
	      "a.test /^list-(.*)@A\\.test$/ = $1@far.test\n");
	gives(0, "^list-", "x@far.test", "/^list-/ = x@far.test\n");
}

static void groups_must_be_there(void **state)
{
	(void)state;
	gives(0, "(x)(y)", "$1@far.test, ${2}@far.test, $(1)x@far.test",
	      "/(x)(y)/ = $1@far.test, ${2}@far.test, $(1)x@far.test\n");
	gives(0, "(x)", "$2@far.test", WRONG "$2: the pattern has 1 groups\n");
	gives(0, "(x)", "$0@far.test", WRONG "$0: the pattern has 1 groups\n");
	gives(0, "(x)", "$x@far.test", WRONG "$x: the pattern has 1 groups\n");
	gives(TABLE_PATTERN_NEGATED, "(x)", "$1@far.test", WRONG "$1: the pattern has 0 groups\n");
	gives(TABLE_PATTERN_NEGATED, "(x)", "all@far.test", "!/(x)/ = all@far.test\n");
}

static void a_dollar_sign_is_written_twice(void **state)
{
	static const char *const wrong[] = { "a$@far.test", "$", "a@far.test, $", "${1@far.test",
					     "${}@far.test" };

	(void)state;
	gives(0, "x", "a$$b@far.test", "/x/ = a$$b@far.test\n");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		gives(0, "(x)", wrong[i], WRONG "a \"$\" names no group; write $$ for a dollar\n");
}

static void a_template_is_a_list_of_targets(void **state)
{
	(void)state;
	gives(0, "x", "@other.test", "/x/ = @other.test\n");
	gives(0, "x", "", WRONG "no address\n");
	gives(0, "x", "@other.test, a@far.test", WRONG "`@other` must be the only target\n");
	gives(0, "x", "a%b@far.test", WRONG "a target has @, % or ! in its local part\n");
	gives(0, "x", "a@far..test",
	      WRONG "\"a@far..test\": the domain \"far..test\" has an empty label\n");
}

static void a_reply_is_no_template(void **state)
{
	(void)state;
	gives(0, "x", "error:5.2.1:550 Costs $$5", "/x/ = error:5.2.1:550 Costs $$5\n");
	gives(0, "(x)", "error:550 $1", WRONG "a reply has no groups: `$$` stands for `$`\n");
	gives(0, "(x)", "error:550 $", WRONG "a reply has no groups: `$$` stands for `$`\n");
	gives(0, "x", "error:", WRONG "error: a reply must follow\n");
	gives(0, "x", "discard:", "/x/ = discard:\n");
}

/* ---- blocks ------------------------------------------------------------------------------- */

static void blocks_are_kept(void **state)
{
	(void)state;
	building_begin("", false);
	add(TABLE_PATTERN_IF, 0, "x", "");
	add(TABLE_PATTERN_RULE, 0, "y", "a@far.test");
	add(TABLE_PATTERN_ENDIF, 0, "", "");
	assert_string_equal(building_end(), "if /x/is\n/y/is = a@far.test\nendif\n");
}

static void an_endif_needs_its_if(void **state)
{
	(void)state;
	building_begin("", false);
	add(TABLE_PATTERN_ENDIF, 0, "", "");
	add(TABLE_PATTERN_IF, 0, "x", "");
	add(TABLE_PATTERN_ENDIF, 0, "", "");
	add(TABLE_PATTERN_ENDIF, 0, "", "");
	assert_string_equal(building_end(),
			    "if /x/is\nendif\n" BUILD_PATH ":1: endif without if\n" BUILD_PATH
			    ":4: endif without if\n");
}

/* Nor does it reach into the next source. */
static void an_open_block_ends_with_its_source(void **state)
{
	(void)state;
	building_begin("", false);
	add(TABLE_PATTERN_IF, 0, "x", "");
	add(TABLE_PATTERN_IF, 0, "y", "");
	assert_true(builder_source(&building.builder, "/etc/other"));
	building.line = 0;
	add(TABLE_PATTERN_RULE, 0, "z", "a@far.test");
	add(TABLE_PATTERN_ENDIF, 0, "", "");
	add(TABLE_PATTERN_IF, 0, "v", "");
	assert_string_equal(building_end(), "if /x/is\nif /y/is\nendif\nendif\n/z/is = a@far.test\n"
					    "if /v/is\nendif\n/etc/other:2: endif without if\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_rule_is_filed_under_its_domain),
		SCRATCH_TEST(groups_must_be_there),
		SCRATCH_TEST(a_dollar_sign_is_written_twice),
		SCRATCH_TEST(a_template_is_a_list_of_targets),
		SCRATCH_TEST(a_reply_is_no_template),
		SCRATCH_TEST(blocks_are_kept),
		SCRATCH_TEST(an_endif_needs_its_if),
		SCRATCH_TEST(an_open_block_ends_with_its_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
