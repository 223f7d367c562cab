/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a text is said in a plugin's line. */
#include "service/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_put(struct bytes text, const char *wanted)
{
	struct buffer line;

	buffer_init(&line, 100);
	plugin_put(text, &line);
	assert_true(bytes_equal(buffer_bytes(&line), bytes_of(wanted)));
	buffer_free(&line);
}

static void what_ends_a_line_or_begins_numbers_is_a_blank(void **state)
{
	(void)state;
	check_put(bytes_of("plain, 'text' = 50%; \xc3\xa4"), "plain, 'text' = 50%; \xc3\xa4");
	check_put(bytes_of("a|b\nc\td\x1b[1m\x7f"), "a b c d [1m ");
	check_put(bytes_make("\0x", 2), " x");
	check_put(bytes_make(NULL, 0), "");
}

static void states_have_words_and_exit_statuses(void **state)
{
	(void)state;
	assert_int_equal(PLUGIN_OK, 0);
	assert_int_equal(PLUGIN_UNKNOWN, 3);
	assert_string_equal(plugin_word(PLUGIN_OK), "OK");
	assert_string_equal(plugin_word(PLUGIN_WARNING), "WARNING");
	assert_string_equal(plugin_word(PLUGIN_CRITICAL), "CRITICAL");
	assert_string_equal(plugin_word(PLUGIN_UNKNOWN), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ends_a_line_or_begins_numbers_is_a_blank),
		cmocka_unit_test(states_have_words_and_exit_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
