/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory/attribute_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is(const char *name, const char *wanted)
{
	if (!attribute_is(bytes_of(name), bytes_of(wanted)))
		fail_msg("%s isn't taken for %s", name, wanted);
}

static void is_not(const char *name, const char *wanted)
{
	if (attribute_is(bytes_of(name), bytes_of(wanted)))
		fail_msg("%s is taken for %s", name, wanted);
}

static void names_without_options(void **state)
{
	(void)state;
	is("mail", "mail");
	is("mail", "MAIL");
	is_not("mail", "mailAlias");
	is_not("mailAlias", "mail");
	is_not("", "mail");
}

static void options_that_are_wanted(void **state)
{
	(void)state;
	is("mail;lang-de", "mail;lang-de");
	is("Mail;Lang-DE", "mail;lang-de");
	is_not("mail", "mail;lang-de");
	is_not("mail;lang-de-AT", "mail;lang-de");
	is_not("mail;lang-de", "mail;lang-de-AT");
	is_not("maildrop;lang-de", "mail;lang-de");
}

static void options_beside_them(void **state)
{
	(void)state;
	is("mail;lang-de", "mail");
	is("mail;a;b;c", "mail;b");
	is("mail;a;b;c", "mail;c;a");
	is_not("mail;a;b;c", "mail;c;d");
	is_not("mail;a", "mail;a;b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_without_options),
		cmocka_unit_test(options_that_are_wanted),
		cmocka_unit_test(options_beside_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
