/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

static void what_was_said_is_kept(void **state)
{
	struct error err;

	(void)state;
	assert_false(
		error_set(&err, EX_DATAERR, "%s: section %d ends past the file", "a.table", 3));
	assert_int_equal(err.status, EX_DATAERR);
	assert_string_equal(err.text, "a.table: section 3 ends past the file");
}

static void the_reason_of_the_system_follows(void **state)
{
	struct error err;

	(void)state;
	errno = ENOENT;
	assert_false(error_set_errno(&err, EX_NOINPUT, "%s", "/nowhere"));
	assert_int_equal(err.status, EX_NOINPUT);
	assert_string_equal(err.text, "/nowhere: No such file or directory");
}

static void lack_of_memory_has_its_status(void **state)
{
	struct error err;

	(void)state;
	assert_false(error_set_memory(&err));
	assert_int_equal(err.status, EX_OSERR);
	assert_string_equal(err.text, "out of memory");
}

static void nobody_need_listen(void **state)
{
	(void)state;
	errno = EACCES;
	assert_false(error_set(NULL, EX_DATAERR, "%s", "x"));
	assert_false(error_set_errno(NULL, EX_DATAERR, "%s", "x"));
	assert_false(error_set_memory(NULL));
}

static void what_is_too_long_is_cut(void **state)
{
	char name[sizeof(((struct error *)NULL)->text) + 100];
	struct error errs[2];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(errs, '#', sizeof(errs));
	assert_false(error_set(&errs[0], EX_DATAERR, "%s", name));
	assert_int_equal(strlen(errs[0].text), sizeof(errs[0].text) - 1);
	errno = ENOENT;
	assert_false(error_set_errno(&errs[0], EX_DATAERR, "%s", name));
	assert_int_equal(strlen(errs[0].text), sizeof(errs[0].text) - 1);
	/* One byte of the reason fits. */
	assert_false(
		error_set_errno(&errs[0], EX_DATAERR, "%.*s", (int)sizeof(errs[0].text) - 2, name));
	assert_int_equal(errs[0].text[sizeof(errs[0].text) - 2], ':');
	assert_int_equal(errs[0].text[sizeof(errs[0].text) - 1], '\0');
	assert_int_equal(errs[1].text[0], '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_said_is_kept),
		cmocka_unit_test(the_reason_of_the_system_follows),
		cmocka_unit_test(lack_of_memory_has_its_status),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(what_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
