/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/builder.h"

#include <sysexits.h>

#include "build_rows.h"

static void the_settings_declare_domains(void **state)
{
	(void)state;
	building_begin("alias_domains = [ \"A.test\", \"both.test\" ];\n"
		       "mailbox_domains = [ \"m.test\", \"both.test\" ];\n"
		       "local_domains = [ \"b\303\274.test\", \"[192.0.2.1]\" ];\n",
		       false);
	assert_string_equal(building_end(), "[192.0.2.1]: local\n"
					    "a.test: alias\n"
					    "both.test: mailbox\n"
					    "m.test: mailbox\n"
					    "xn--b-eha.test: local\n");
}

static void rules_come_from_the_settings(void **state)
{
	const struct table_rules *rules = &building.builder.rules;

	(void)state;
	building_begin("recipient_delimiter = \"+-\";\npropagate_extension = false;\n"
		       "append_dot_domain = \"Dot.Test\";\n",
		       false);
	assert_true(bytes_equal(rules->delimiters, bytes_of("+-")));
	assert_true(bytes_equal(rules->origin, bytes_of("o.test")));
	assert_true(bytes_equal(rules->dot_domain, bytes_of("dot.test")));
	assert_false(rules->propagates_extension);
	building_free();
	building_begin("", false);
	assert_int_equal(rules->dot_domain.size, 0);
	building_free();
}

static void each_source_counts_its_own_lines(void **state)
{
	(void)state;
	building_begin("", false);
	building_entry("ann@a.test", "x@far.test");
	building_entry("bad@a.test", "");
	assert_true(builder_source(&building.builder, "relative"));
	building.line = 0;
	building_entry("bad@a.test", "");
	assert_string_equal(building_end(), "ann@a.test = x@far.test\n" BUILD_PATH
					    ":2: no address\nrelative:1: no address\n");
}

static void more_lines_than_can_be_told_apart_stop_it(void **state)
{
	struct source_row row = { .key = bytes_of("ann@a.test"), .value = bytes_of("x@far.test") };

	(void)state;
	building_begin("", false);
	row.line = UINT32_MAX - 1;
	assert_true(builder_row(&building.builder, &row));
	row.line = UINT32_MAX;
	assert_false(builder_row(&building.builder, &row));
	assert_reported(&building.reported,
			BUILD_PATH ":4294967295: more than four thousand million lines\n");
	assert_int_equal(building.reported.report.status, EX_DATAERR);
	building_free();
}

/* As where keys collide, and another seed is tried. */
static void it_begins_anew_with_another_writer(void **state)
{
	struct writer_options options = { .seed = 2, .spill_directory = "/tmp" };
	struct error err;

	(void)state;
	building_begin("alias_domains = [ \"a.test\" ];\n", false);
	building_entry("gone@a.test", "x@far.test");
	building_entry("gone.test", "x@far.test");
	assert_true(building_add((struct source_row){
		.kind = SOURCE_ROW_PATTERN,
		.pattern = { .kind = TABLE_PATTERN_IF, .expression = bytes_of("x") } }));
	table_writer_free(building.writer);
	options.rules = building.builder.rules;
	building.writer = table_writer_new(&options, &err);
	assert_non_null(building.writer);
	assert_true(builder_begin(&building.builder, building.writer));
	assert_true(builder_source(&building.builder, "/etc/anew"));
	assert_int_equal(building.builder.lines.source_count, 1);
	building.line = 0;
	building_entry("ann@a.test", "x@far.test");
	building_entry("bad@a.test", "");
	building_entry("ann@gone.test", "x@far.test");
	assert_string_equal(building_end(), "a.test: alias\n"
					    "ann@a.test = x@far.test\n"
					    "ann@gone.test = x@far.test\n"
					    "/etc/anew:2: no address\n");
}

static void an_empty_table_is_one(void **state)
{
	(void)state;
	building_begin("", false);
	assert_string_equal(building_end(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(the_settings_declare_domains),
		SCRATCH_TEST(rules_come_from_the_settings),
		SCRATCH_TEST(each_source_counts_its_own_lines),
		SCRATCH_TEST(more_lines_than_can_be_told_apart_stop_it),
		SCRATCH_TEST(it_begins_anew_with_another_writer),
		SCRATCH_TEST(an_empty_table_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
