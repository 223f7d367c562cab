/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may own the table beside root and ourselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "settings/settings.h"

static struct error err;

static bool look_up(const char *name, uid_t *out_owner)
{
	struct settings *settings = settings_new();
	bool is_done;

	assert_non_null(settings);
	free(settings->table_owner);
	settings->table_owner = strdup(name);
	assert_non_null(settings->table_owner);
	is_done = settings_table_owner(settings, out_owner, &err);
	settings_free(settings);
	return is_done;
}

static void without_a_name_it_is_nobody(void **state)
{
	uid_t owner = 12345;

	(void)state;
	assert_true(look_up("", &owner));
	assert_int_equal(owner, (uid_t)-1);
}

static void a_name_is_looked_up(void **state)
{
	uid_t owner = 12345;

	(void)state;
	assert_true(look_up("root", &owner));
	assert_int_equal(owner, 0);
}

static void an_unknown_name_is_a_wrong_setting(void **state)
{
	uid_t owner = 12345;

	(void)state;
	assert_false(look_up("no-such-user-here", &owner));
	assert_int_equal(err.status, EX_CONFIG);
	assert_string_equal(err.text, "table_owner: user no-such-user-here: there is no such user");
	assert_int_equal(owner, 12345);
}

/* Who can ask nobody any more takes what was found. */
static void one_that_was_found_is_not_looked_up(void **state)
{
	struct settings *settings = settings_new();
	uid_t owner = 12345;

	(void)state;
	assert_non_null(settings);
	free(settings->table_owner);
	settings->table_owner = strdup("root");
	assert_true(settings_find_table_owner(settings, &err));
	free(settings->table_owner);
	settings->table_owner = strdup("no-such-user-here");
	assert_true(settings_table_owner(settings, &owner, &err));
	assert_int_equal(owner, 0);
	assert_false(settings_find_table_owner(settings, &err));
	assert_false(settings_table_owner(settings, &owner, &err));
	settings_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_name_it_is_nobody),
		cmocka_unit_test(a_name_is_looked_up),
		cmocka_unit_test(one_that_was_found_is_not_looked_up),
		cmocka_unit_test(an_unknown_name_is_a_wrong_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
