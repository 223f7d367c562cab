/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_targets.h"

#include "build_rows.h"

#define KEY   "a@a.test"
#define WRONG BUILD_PATH ":1: "

static void targets_stay_in_their_order_and_case(void **state)
{
	(void)state;
	entry_gives(KEY, "Zoe@Far.test, ann@a.test , \"q x\"@far.test",
		    KEY " = Zoe@far.test, ann@a.test, \"q x\"@far.test\n");
	entry_gives(KEY, ", x@far.test,,y@far.test, ", KEY " = x@far.test, y@far.test\n");
	entry_gives(KEY, "x@b\303\274.test", KEY " = x@xn--b-eha.test\n");
}

static void what_lacks_a_domain_is_at_origin(void **state)
{
	(void)state;
	entry_gives(KEY, "local", KEY " = local@o.test\n");
	entry_gives(KEY, "local, x@nodot", KEY " = local@o.test, x@nodot\n");
}

static void a_domain_without_a_dot_is_completed(void **state)
{
	(void)state;
	building_begin("append_dot_domain = \"Dot.test\";\n", false);
	building_entry(KEY, "x@host, y@far.test, z, v@[192.0.2.1], w@HOST");
	assert_string_equal(building_end(),
			    KEY " = x@host.dot.test, y@far.test, z@o.test, v@[192.0.2.1], "
				"w@host.dot.test\n");
}

static void another_domain_for_the_same_user_stands_alone(void **state)
{
	(void)state;
	entry_gives("@a.test", "@other.test", "@a.test = @other.test\n");
	entry_gives("@a.test", "@other.test, x@far.test",
		    WRONG "`@other` must be the only target\n");
	entry_gives("@a.test", "@other.test, @third.test",
		    WRONG "`@other` must be the only target\n");
}

static void routing_is_refused(void **state)
{
	(void)state;
	entry_gives(KEY, "x%y@far.test",
		    WRONG "a target has % or ! in its local part (sender-specified routing)\n");
	entry_gives(KEY, "x!y@far.test",
		    WRONG "a target has % or ! in its local part (sender-specified routing)\n");
	entry_gives(KEY, "\"x@y\"@far.test",
		    WRONG "a target has @ in its local part (sender-specified routing)\n");
}

/* As Postfix does, but not in silence. */
static void a_lenient_table_keeps_routing(void **state)
{
	(void)state;
	lenient_entry_gives(KEY, "\"x@y\"@far.test, x%y@far.test",
			    KEY " = \"x@y\"@far.test, x%y@far.test\n" WRONG
				"warning: a target has @ in its local part (sender-specified "
				"routing) [lenient]\n" WRONG
				"warning: a target has % or ! in its local part (sender-specified "
				"routing) [lenient]\n");
	lenient_entry_gives(
		KEY, "user1\\@b.test",
		KEY
		" = \"user1@b.test\"@o.test\n" WRONG
		"warning: a target has @ in its local part (sender-specified routing) [lenient]\n");
}

static void a_lenient_table_uses_what_can_be_used(void **state)
{
	(void)state;
	lenient_entry_gives(KEY, "x@far.test, z@a..b, y@far.test # z",
			    KEY " = x@far.test, y@far.test, z@o.test\n" WRONG
				"warning: \"z@a..b\": the domain \"a..b\" has an empty label (left "
				"out) [lenient]\n" WRONG
				"warning: # begins no comment here: a comment has its "
				"own line (left out) [lenient]\n");
}

#define UNUSABLE KEY " = error:4.3.5:451 The alias table has a mistake here\n"

/* The key is meant to be one: whoever writes to it is not refused. */
static void a_lenient_table_defers_what_has_no_target_left(void **state)
{
	(void)state;
	lenient_entry_gives(KEY, "z@a..b",
			    UNUSABLE WRONG "warning: \"z@a..b\": the domain \"a..b\" has an empty "
					   "label (left out) [lenient]\n" WRONG
					   "warning: no address (deferred) [lenient]\n");
	lenient_entry_gives(KEY, "@other.test, x@far.test",
			    UNUSABLE WRONG
			    "warning: `@other` must be the only target (deferred) [lenient]\n");
	lenient_entry_gives(KEY, "error:",
			    UNUSABLE WRONG
			    "warning: error: a reply must follow (deferred) [lenient]\n");
	building_begin("", true);
	building_entry(KEY, "z@a..b");
	building_entry(KEY, "fine@far.test");
	assert_non_null(strstr(building_end(), KEY " = fine@far.test\n"));
}

static void what_a_user_may_have_meant_otherwise_is_told(void **state)
{
	(void)state;
	entry_gives(KEY, "x@far.test #y",
		    WRONG "# begins no comment here: a comment has its own line\n");
	entry_gives(KEY, "\303\274@far.test",
		    KEY " = \303\274@far.test\n" WRONG
			"warning: a target is not ASCII: without SMTPUTF8 its mail may come "
			"back, or is refused (smtputf8 in openrcpt.conf(5)) [smtputf8]\n");
}

static void no_target_is_an_error(void **state)
{
	(void)state;
	entry_gives(KEY, "", WRONG "no address\n");
	entry_gives(KEY, " , ,", WRONG "no address\n");
}

/* Each of them is told, and nothing is kept of the row. */
static void one_wrong_target_spoils_the_row(void **state)
{
	(void)state;
	entry_gives(KEY, "x%y@far.test, ok@far.test, z@a..b",
		    WRONG "a target has % or ! in its local part (sender-specified routing)\n" WRONG
			  "\"z@a..b\": the domain \"a..b\" has an empty label\n");
	building_begin("", false);
	building_entry("b@a.test", "x@far.test, z@a..b");
	building_entry("b@a.test", "fine@far.test");
	assert_string_equal(building_end(), "b@a.test = fine@far.test\n" WRONG
					    "\"z@a..b\": the domain \"a..b\" has an empty label\n");
}

static void a_list_may_be_long(void **state)
{
	enum { MANY = 500 };
	static char value[MANY * 20];
	const char *text;
	size_t size = 0;
	size_t commas = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		size += (size_t)snprintf(value + size, sizeof(value) - size, "user%u@far.test, ",
					 i);
	building_begin("", false);
	building_entry(KEY, value);
	text = building_end();
	for (const char *at = text; *at != '\0'; at++)
		commas += *at == ',';
	assert_int_equal(commas, MANY - 1);
	assert_non_null(strstr(text, "user499@far.test\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(targets_stay_in_their_order_and_case),
		SCRATCH_TEST(what_lacks_a_domain_is_at_origin),
		SCRATCH_TEST(a_domain_without_a_dot_is_completed),
		SCRATCH_TEST(another_domain_for_the_same_user_stands_alone),
		SCRATCH_TEST(routing_is_refused),
		SCRATCH_TEST(a_lenient_table_keeps_routing),
		SCRATCH_TEST(a_lenient_table_uses_what_can_be_used),
		SCRATCH_TEST(a_lenient_table_defers_what_has_no_target_left),
		SCRATCH_TEST(what_a_user_may_have_meant_otherwise_is_told),
		SCRATCH_TEST(no_target_is_an_error),
		SCRATCH_TEST(one_wrong_target_spoils_the_row),
		SCRATCH_TEST(a_list_may_be_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
