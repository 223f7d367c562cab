/* SPDX-License-Identifier: BSD-2-Clause */
/* `$1` and the like: what they are, where they end, which can be. */
#include "table/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

/* TEXT piece by piece: `[text]`, `<number>`, `!name` where it is wrong. */
static void gives(const char *text, const char *expected)
{
	struct bytes rest = bytes_of(text);
	struct template_piece piece;
	enum template_step step;
	struct buffer got;

	buffer_init(&got, 4096);
	assert_true(buffer_append_text(&got, ""));
	while ((step = template_next(&rest, &piece)) == TEMPLATE_TEXT || step == TEMPLATE_GROUP) {
		assert_true(piece.text.size > 0);
		if (step == TEMPLATE_TEXT)
			assert_true(buffer_append_format(&got, "[" BYTES_FORMAT "]",
							 BYTES_ARGS(piece.text)));
		else
			assert_true(buffer_append_format(&got, "<%u>", (unsigned)piece.group));
	}
	if (step == TEMPLATE_WRONG)
		assert_true(buffer_append_format(&got, "!" BYTES_FORMAT, BYTES_ARGS(piece.text)));
	if (strcmp(got.data, expected) != 0)
		fail_msg("%s gives %s and not %s", text, got.data, expected);
	buffer_free(&got);
}

static void text_and_groups_alternate(void **state)
{
	(void)state;
	gives("", "");
	gives("ann@a.test", "[ann@a.test]");
	gives("$1", "<1>");
	gives("x$1@${2}.$(3)y", "[x]<1>[@]<2>[.]<3>[y]");
	gives("$1$2", "<1><2>");
	gives("$$", "[$]");
	gives("a$$1$$$1", "[a][$][1][$]<1>");
	gives("}{)(", "[}{)(]");
}

static void a_bare_name_goes_as_far_as_it_can(void **state)
{
	(void)state;
	gives("$1-x $2.y $3@z", "<1>[-x ]<2>[.y ]<3>[@z]");
	gives("a$1x", "[a]!1x");
	gives("$1_", "!1_");
	gives("${1}x$(1)x", "<1>[x]<1>[x]");
	gives("$x", "!x");
	gives("${x1}", "!x1");
}

static void what_is_no_name_is_wrong(void **state)
{
	static const char *const texts[] = { "$",   "$ 1", "$-",   "${",   "${}",
					     "$()", "${1", "$(1}", "${1)", "${ 1}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		gives(texts[i], "!");
}

static void numbers_are_from_1_to_99(void **state)
{
	(void)state;
	gives("$0", "!0");
	gives("${00}", "!00");
	gives("$99", "<99>");
	gives("$100", "!100");
	gives("${0007}$000000000000000000000099", "<7><99>");
	/* 2 to the 32nd and one more, 2 to the 64th and one more. */
	gives("$4294967297", "!4294967297");
	gives("${18446744073709551617}", "!18446744073709551617");
}

static void refuses(const char *text, uint32_t group_count, const char *reason)
{
	struct error err = { .status = 0 };

	if (template_check(bytes_of(text), group_count, &err))
		fail_msg("%s of %u groups is let through", text, (unsigned)group_count);
	assert_int_equal(err.status, EX_DATAERR);
	assert_string_equal(err.text, reason);
	assert_false(template_check(bytes_of(text), group_count, NULL));
}

static void only_groups_that_there_are_are_let_through(void **state)
{
	struct error err;

	(void)state;
	assert_true(template_check(bytes_of(""), 0, &err));
	assert_true(template_check(bytes_of("a$$b"), 0, &err));
	assert_true(template_check(bytes_of("$1 ${2}"), 2, &err));
	assert_true(template_check(bytes_of("$99"), 99, &err));
	assert_true(template_check(bytes_of("$99"), 1000, &err));
	refuses("$1", 0, "$1: the pattern has 0 groups");
	refuses("x $1 $3 $x", 2, "$3: the pattern has 2 groups");
	refuses("$0", 2, "$0: the pattern has 2 groups");
	refuses("$1x", 2, "$1x: the pattern has 2 groups");
	refuses("$100", 99, "$100: the pattern has 99 groups");
	refuses("$100", 100, "$100: only the first 99 groups of a pattern can be put in");
	refuses("a$", 2, "a \"$\" names no group; write $$ for a dollar");
}

static void normalises(const char *text, const char *expected)
{
	struct buffer once, twice;

	buffer_init(&once, 4096);
	buffer_init(&twice, 4096);
	template_normalise(bytes_of(text), &once);
	assert_false(once.has_failed);
	assert_string_equal(once.data, expected);
	template_normalise(buffer_bytes(&once), &twice);
	assert_string_equal(twice.data, expected);
	buffer_free(&once);
	buffer_free(&twice);
}

static void there_is_one_form_in_a_table(void **state)
{
	struct buffer full;

	(void)state;
	normalises("a$1-b@$(02), ${3}$$.$$1", "a${1}-b@${2}, ${3}$$.$$1");
	buffer_init(&full, 3);
	template_normalise(bytes_of("a$1"), &full);
	assert_true(full.has_failed);
	buffer_free(&full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_groups_alternate),
		cmocka_unit_test(a_bare_name_goes_as_far_as_it_can),
		cmocka_unit_test(what_is_no_name_is_wrong),
		cmocka_unit_test(numbers_are_from_1_to_99),
		cmocka_unit_test(only_groups_that_there_are_are_let_through),
		cmocka_unit_test(there_is_one_form_in_a_table),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
