/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/warnings.h"

#include <sysexits.h>

#include "reported.h"

static void every_class_can_be_switched_off_by_its_name(void **state)
{
	(void)state;
	for (enum warning i = 0; i < WARNINGS; i++) {
		struct warning_choice choice = { .are_errors = false };
		char word[64];

		(void)snprintf(word, sizeof(word), "no-%s", warning_name(i));
		assert_true(warning_choose(&choice, word, NULL));
		for (enum warning j = 0; j < WARNINGS; j++)
			assert_int_equal(choice.is_off[j], i == j);
		assert_false(choice.are_errors);
	}
}

static void words_add_up(void **state)
{
	struct warning_choice choice = { .are_errors = false };

	(void)state;
	assert_true(warning_choose(&choice, "no-catch-all", NULL));
	assert_true(warning_choose(&choice, "error", NULL));
	assert_true(warning_choose(&choice, "no-postmaster", NULL));
	assert_true(choice.are_errors && choice.is_off[WARNING_CATCH_ALL] &&
		    choice.is_off[WARNING_POSTMASTER] && !choice.is_off[WARNING_DUPLICATE]);
}

static void another_word_is_told_which_was_meant(void **state)
{
	static const char *const words[][2] = {
		{ "no-catchall", "-W no-catchall: there is no such word; did you mean "
				 "no-catch-all?" },
		{ "postmaster", "-W postmaster: there is no such word; did you mean "
				"no-postmaster?" },
		{ "no-such", "-W no-such: neither error nor no-NAME of a warning" },
		{ "", "-W : neither error nor no-NAME of a warning" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct warning_choice choice = { .are_errors = false };
		struct error err;

		assert_false(warning_choose(&choice, words[i][0], &err));
		assert_int_equal(err.status, EX_USAGE);
		assert_string_equal(err.text, words[i][1]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_class_can_be_switched_off_by_its_name),
		cmocka_unit_test(words_add_up),
		cmocka_unit_test(another_word_is_told_which_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
