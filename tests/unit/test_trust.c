/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/trust.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

enum { STRANGER = 12345, OTHER_STRANGER = 23456 };

static struct error err;

static struct stat made_up(mode_t mode, uid_t owner)
{
	return (struct stat){ .st_mode = mode, .st_uid = owner, .st_nlink = 1 };
}

/* ---- the rule for files ------------------------------------------------------------------- */

static enum trust_fault judge_file(const struct trust_policy *policy, mode_t mode, uid_t owner)
{
	struct stat status = made_up(S_IFREG | mode, owner);

	return trust_judge(&status, policy);
}

static void a_table_is_roots_or_ours(void **state)
{
	(void)state;
	assert_int_equal(judge_file(&trust_in_table, 0640, 0), TRUST_NO_FAULT);
	assert_int_equal(judge_file(&trust_in_table, 0644, geteuid()), TRUST_NO_FAULT);
	assert_int_equal(judge_file(&trust_in_table, 0640, STRANGER), TRUST_FOREIGN_OWNER);
	assert_int_equal(judge_file(&trust_in_table, 0642, 0), TRUST_OTHERS_WRITE);
	assert_int_equal(judge_file(&trust_in_table, 0660, 0), TRUST_GROUP_WRITES);
}

static void a_table_may_have_another_owner_if_that_is_said(void **state)
{
	struct trust_policy policy = trust_in_table;

	(void)state;
	policy.also_owner = STRANGER;
	assert_int_equal(judge_file(&policy, 0640, STRANGER), TRUST_NO_FAULT);
	assert_int_equal(judge_file(&policy, 0640, 0), TRUST_NO_FAULT);
	assert_int_equal(judge_file(&policy, 0640, OTHER_STRANGER), TRUST_FOREIGN_OWNER);
	assert_int_equal(judge_file(&policy, 0642, STRANGER), TRUST_OTHERS_WRITE);
	/* Nobody is no number of anybody. */
	assert_int_equal(judge_file(&trust_in_table, 0640, TRUST_NOBODY), TRUST_FOREIGN_OWNER);
}

static void a_table_has_one_name(void **state)
{
	struct stat status = made_up(S_IFREG | 0640, 0);

	(void)state;
	status.st_nlink = 2;
	assert_int_equal(trust_judge(&status, &trust_in_table), TRUST_MANY_NAMES);
	assert_int_equal(trust_judge(&status, &trust_in_configuration), TRUST_NO_FAULT);
	assert_int_equal(trust_judge(&status, &trust_in_source), TRUST_NO_FAULT);
	/* Replaced since it was opened. */
	status.st_nlink = 0;
	assert_int_equal(trust_judge(&status, &trust_in_table), TRUST_NO_FAULT);
}

static void a_configuration_is_roots_or_ours(void **state)
{
	const struct trust_policy *policy = &trust_in_configuration;

	(void)state;
	assert_int_equal(judge_file(policy, 0640, 0), TRUST_NO_FAULT);
	assert_int_equal(judge_file(policy, 0640, geteuid()), TRUST_NO_FAULT);
	assert_int_equal(judge_file(policy, 0640, STRANGER), TRUST_FOREIGN_OWNER);
	assert_int_equal(judge_file(policy, 0602, 0), TRUST_OTHERS_WRITE);
	assert_int_equal(judge_file(policy, 0620, 0), TRUST_GROUP_WRITES);
}

static void a_source_is_anybodys_but_not_everybodys(void **state)
{
	(void)state;
	assert_int_equal(judge_file(&trust_in_source, 0644, STRANGER), TRUST_NO_FAULT);
	assert_int_equal(judge_file(&trust_in_source, 0646, STRANGER), TRUST_OTHERS_WRITE);
	assert_int_equal(judge_file(&trust_in_source, 0664, STRANGER), TRUST_GROUP_WRITES);
}

/* Root's aliases include no file of a user, not even of the one who compiles them. */
static void what_is_included_is_roots_or_of_the_same_owner(void **state)
{
	struct trust_policy policy = trust_in_included;

	(void)state;
	policy.also_owner = 0;
	assert_int_equal(judge_file(&policy, 0664, 0), TRUST_NO_FAULT);
	assert_int_equal(judge_file(&policy, 0644, STRANGER), TRUST_FOREIGN_OWNER);
	if (geteuid() != 0)
		assert_int_equal(judge_file(&policy, 0644, geteuid()), TRUST_FOREIGN_OWNER);
	policy.also_owner = STRANGER;
	assert_int_equal(judge_file(&policy, 0644, STRANGER), TRUST_NO_FAULT);
	assert_int_equal(judge_file(&policy, 0644, OTHER_STRANGER), TRUST_FOREIGN_OWNER);
}

static void what_is_no_file_is_not_judged_further(void **state)
{
	static const mode_t kinds[] = { S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct stat status = made_up(kinds[i] | 0666, STRANGER);

		assert_int_equal(trust_judge(&status, &trust_in_table), TRUST_NOT_REGULAR);
		assert_int_equal(trust_judge(&status, &trust_in_configuration), TRUST_NOT_REGULAR);
		assert_int_equal(trust_judge(&status, &trust_in_source), TRUST_NOT_REGULAR);
	}
}

/* ---- the rule for directories ------------------------------------------------------------- */

static enum trust_fault judge_folder(const struct trust_policy *policy, mode_t mode, uid_t owner)
{
	struct stat status = made_up(S_IFDIR | mode, owner);

	status.st_nlink = 5;
	return trust_judge(&status, policy);
}

static void a_folder_is_not_for_everybody(void **state)
{
	(void)state;
	assert_int_equal(judge_folder(&trust_in_folder, 0755, 0), TRUST_NO_FAULT);
	assert_int_equal(judge_folder(&trust_in_folder, 0775, STRANGER), TRUST_NO_FAULT);
	assert_int_equal(judge_folder(&trust_in_folder, 0777, 0), TRUST_OTHERS_WRITE);
	assert_int_equal(judge_folder(&trust_in_folder, 01777, 0), TRUST_NO_FAULT);
	/* Its owner can replace any file there, sticky or not. */
	assert_int_equal(judge_folder(&trust_in_folder, 01777, STRANGER), TRUST_OTHERS_WRITE);
}

static void the_folder_of_a_socket_is_roots_or_ours(void **state)
{
	const struct trust_policy *policy = &trust_in_socket_folder;

	(void)state;
	assert_int_equal(judge_folder(policy, 02750, geteuid()), TRUST_NO_FAULT);
	assert_int_equal(judge_folder(policy, 02770, 0), TRUST_NO_FAULT);
	assert_int_equal(judge_folder(policy, 0755, STRANGER), TRUST_FOREIGN_OWNER);
	assert_int_equal(judge_folder(policy, 0777, 0), TRUST_OTHERS_WRITE);
	assert_int_equal(judge_folder(policy, 01777, 0), TRUST_OTHERS_WRITE);
}

/* ---- words and statuses ------------------------------------------------------------------- */

static void assert_refused(const struct trust_policy *policy, const struct stat *status,
			   int exit_status, const char *text)
{
	assert_false(trust_check("/a/file", status, policy, &err));
	assert_int_equal(err.status, exit_status);
	assert_string_equal(err.text, text);
}

static void a_refusal_says_why(void **state)
{
	struct stat status = made_up(S_IFREG | 0640, 0);

	(void)state;
	assert_true(trust_check("/a/file", &status, &trust_in_table, &err));
	status.st_nlink = 2;
	assert_refused(&trust_in_table, &status, EX_NOPERM, "/a/file: has 2 names");
	status = made_up(S_IFREG | 0640, STRANGER);
	assert_refused(&trust_in_table, &status, EX_NOPERM, "/a/file: belongs to user 12345");
	status = made_up(S_IFREG | 0646, 0);
	assert_refused(&trust_in_table, &status, EX_NOPERM,
		       "/a/file: others may write it (mode 0646)");
	status = made_up(S_IFREG | 0664, 0);
	assert_refused(&trust_in_table, &status, EX_NOPERM,
		       "/a/file: its group may write it (mode 0664)");
	status = made_up(S_IFIFO | 0600, 0);
	assert_refused(&trust_in_table, &status, EX_NOPERM, "/a/file: is not a regular file");
	status = made_up(S_IFDIR | 0777, 0);
	assert_refused(&trust_in_socket_folder, &status, EX_CONFIG,
		       "/a/file: others may write its directory (mode 0777)");
	status = made_up(S_IFDIR | 0755, STRANGER);
	assert_refused(&trust_in_socket_folder, &status, EX_CONFIG,
		       "/a/file: its directory belongs to user 12345");
}

static void no_fault_has_no_words(void **state)
{
	struct stat status = made_up(S_IFREG | 0640, 0);
	char text[TRUST_TEXT_BYTES] = "before";

	(void)state;
	trust_describe(TRUST_NO_FAULT, &status, &trust_in_table, text);
	assert_string_equal(text, "");
}

/* The largest numbers there are. */
static void the_words_fit(void **state)
{
	struct stat status = { .st_mode = S_IFDIR | 07777, .st_uid = TRUST_NOBODY - 1 };
	char text[TRUST_TEXT_BYTES];

	(void)state;
	status.st_nlink = (nlink_t)-1;
	for (enum trust_fault fault = TRUST_NO_FAULT; fault <= TRUST_MANY_NAMES; fault++) {
		trust_describe(fault, &status, &trust_in_socket_folder, text);
		assert_in_range(strlen(text), 0, TRUST_TEXT_BYTES - 2);
	}
}

/* ---- a directory that is there ------------------------------------------------------------ */

static void the_folder_of_a_file_is_looked_at(void **state)
{
	char folder[] = "/tmp/test_trust.XXXXXX";
	char path[64], link[64], through_link[128];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	(void)snprintf(link, sizeof(link), "%s.link", folder);
	(void)snprintf(through_link, sizeof(through_link), "%s/file", link);
	assert_int_equal(symlink(folder, link), 0);
	assert_true(trust_check_folder_of(path, &err));
	assert_int_equal(chmod(folder, 0777), 0);
	assert_false(trust_check_folder_of(path, &err));
	assert_int_equal(err.status, EX_NOPERM);
	assert_non_null(strstr(err.text, path));
	assert_false(trust_check_folder_of(through_link, &err));
	assert_int_equal(err.status, EX_NOPERM);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(folder), 0);
	/* No telling is no trust. */
	assert_false(trust_check_folder_of(path, &err));
	assert_int_equal(err.status, EX_OSERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_roots_or_ours),
		cmocka_unit_test(a_table_may_have_another_owner_if_that_is_said),
		cmocka_unit_test(a_table_has_one_name),
		cmocka_unit_test(a_configuration_is_roots_or_ours),
		cmocka_unit_test(a_source_is_anybodys_but_not_everybodys),
		cmocka_unit_test(what_is_included_is_roots_or_of_the_same_owner),
		cmocka_unit_test(what_is_no_file_is_not_judged_further),
		cmocka_unit_test(a_folder_is_not_for_everybody),
		cmocka_unit_test(the_folder_of_a_socket_is_roots_or_ours),
		cmocka_unit_test(a_refusal_says_why),
		cmocka_unit_test(no_fault_has_no_words),
		cmocka_unit_test(the_words_fit),
		cmocka_unit_test(the_folder_of_a_file_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
