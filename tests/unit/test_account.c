/* SPDX-License-Identifier: BSD-2-Clause */
/* The linker puts what is below in the place of the system's look-ups (see Makefile.inc). */
#include "base/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

/* What the system is to say. */
static struct {
	int number;         /* of the look-up */
	int interruptions;  /* before it says anything */
	size_t needed_room; /* for the texts of an entry */
	bool is_there;
	int group_count;
	size_t calls;
} made_up;
static struct account account;
static struct error err;

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *memory, size_t room,
		      struct passwd **out_found);
int __wrap_getgrouplist(const char *name, gid_t group, gid_t *groups, int *count);

int __wrap_getpwnam_r(const char *name, struct passwd *entry, char *memory, size_t room,
		      struct passwd **out_found)
{
	made_up.calls++;
	*out_found = NULL;
	if (made_up.interruptions-- > 0)
		return EINTR;
	if (room < made_up.needed_room)
		return ERANGE;
	if (made_up.number != 0 || !made_up.is_there)
		return made_up.number;
	memset(memory, 'x', room);
	*entry =
		(struct passwd){ .pw_name = (char *)(uintptr_t)name, .pw_uid = 101, .pw_gid = 202 };
	*out_found = entry;
	return 0;
}

int __wrap_getgrouplist(const char *name, gid_t group, gid_t *groups, int *count)
{
	int room = *count;

	assert_string_equal(name, "ann");
	made_up.calls++;
	for (int i = 0; i < room && i < made_up.group_count; i++)
		groups[i] = group + (gid_t)i;
	*count = made_up.group_count;
	return made_up.group_count > room ? -1 : made_up.group_count;
}

static int begin(void **state)
{
	(void)state;
	memset(&made_up, 0, sizeof(made_up));
	memset(&err, 0, sizeof(err));
	account = (struct account){ .user = 1, .group = 2 };
	return 0;
}

static void assert_untouched(void)
{
	assert_int_equal(account.user, 1);
	assert_int_equal(account.group, 2);
}

/* ---- users -------------------------------------------------------------------------------- */

static void a_user_is_found(void **state)
{
	(void)state;
	made_up.is_there = true;
	assert_int_equal(account_find_user("ann", &account, &err), ACCOUNT_FOUND);
	assert_int_equal(account.user, 101);
	assert_int_equal(account.group, 202);
	assert_int_equal(err.status, 0);
}

static void who_is_not_there_is_absent(void **state)
{
	(void)state;
	assert_int_equal(account_find_user("ann", &account, &err), ACCOUNT_ABSENT);
	assert_int_equal(err.status, EX_CONFIG);
	assert_string_equal(err.text, "user ann: there is no such user");
	assert_untouched();
}

/* ENOENT, too: glibc says so where it has no data base at all. */
static void a_failure_is_never_an_absence(void **state)
{
	static const int numbers[] = { EIO, EMFILE, ENOMEM, ENOENT, ECONNREFUSED };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		made_up.number = numbers[i];
		assert_int_equal(account_find_user("ann", &account, &err), ACCOUNT_CANT_TELL);
		assert_int_equal(err.status, EX_OSERR);
		assert_non_null(strstr(err.text, strerror(numbers[i])));
		assert_untouched();
	}
	assert_int_equal(account_find_user("ann", &account, NULL), ACCOUNT_CANT_TELL);
}

static void signals_are_no_answer(void **state)
{
	(void)state;
	made_up.interruptions = 3;
	made_up.is_there = true;
	assert_int_equal(account_find_user("ann", &account, &err), ACCOUNT_FOUND);
	assert_int_equal(made_up.calls, 4);
}

static void the_room_grows(void **state)
{
	(void)state;
	made_up.needed_room = 300000;
	made_up.is_there = true;
	assert_int_equal(account_find_user("ann", &account, &err), ACCOUNT_FOUND);
	assert_int_equal(account.user, 101);
	made_up.is_there = false;
	assert_int_equal(account_find_user("ann", &account, &err), ACCOUNT_ABSENT);
}

static void the_room_has_an_end(void **state)
{
	(void)state;
	made_up.needed_room = SIZE_MAX;
	made_up.is_there = true;
	assert_int_equal(account_find_user("ann", &account, &err), ACCOUNT_CANT_TELL);
	assert_int_equal(err.status, EX_OSERR);
	assert_in_range(made_up.calls, 2, 20);
	assert_untouched();
}

/* ---- groups ------------------------------------------------------------------------------- */

static void all_groups_are_found(void **state)
{
	static const int counts[] = { 1, 31, 32, 33, 1000, 65536 };
	gid_t *groups;
	size_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		made_up.group_count = counts[i];
		assert_true(account_groups("ann", 7, &groups, &count, &err));
		assert_int_equal(count, counts[i]);
		for (size_t j = 0; j < count; j++)
			assert_int_equal(groups[j], 7 + j);
		free(groups);
	}
}

static void too_many_groups_are_no_few(void **state)
{
	gid_t *groups = NULL;
	size_t count;

	(void)state;
	made_up.group_count = 65537;
	assert_false(account_groups("ann", 7, &groups, &count, &err));
	assert_int_equal(err.status, EX_OSERR);
	assert_null(groups);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_user_is_found),
		TEST(who_is_not_there_is_absent),
		TEST(a_failure_is_never_an_absence),
		TEST(signals_are_no_answer),
		TEST(the_room_grows),
		TEST(the_room_has_an_end),
		TEST(all_groups_are_found),
		TEST(too_many_groups_are_no_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
