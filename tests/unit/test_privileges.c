/* SPDX-License-Identifier: BSD-2-Clause */
/* Each step runs in a child: what it gives up is gone for good. As root it goes all the way. */
#include "service/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "scratch.h"
#include "under_valgrind.h"

enum { SOMEBODY = 54321, SOME_GROUP = 54322 };

/* It needs no account: only the groups are asked for by name, and root's there always are. */
static const struct identity somebody = { .user = SOMEBODY, .group = SOME_GROUP, .name = "root" };

static struct error err;

/* Run STEP in a child; it says true where all was as it should be. */
static void in_a_child(bool (*step)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(step() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- who ---------------------------------------------------------------------------------- */

static void who_is_nobody_is_refused(void **state)
{
	struct identity identity = { .user = SOMEBODY };

	(void)state;
	assert_false(privileges_choose("no-such-user-here", &identity, &err));
	assert_int_equal(err.status, EX_CONFIG);
	assert_non_null(strstr(err.text, "no-such-user-here"));
	assert_int_equal(identity.user, SOMEBODY);
}

static void root_is_refused(void **state)
{
	struct identity identity;

	(void)state;
	assert_false(privileges_choose("root", &identity, &err));
	assert_int_equal(err.status, EX_CONFIG);
	assert_non_null(strstr(err.text, "never runs as root"));
}

static bool choose_another(void)
{
	struct identity identity;

	return setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0 &&
	       !privileges_choose("nobody", &identity, &err) && err.status == EX_NOPERM;
}

/* As a program that is set-user-ID runs: the real user could take it over. */
static bool choose_as_somebody_elses(void)
{
	struct identity identity;

	return privileges_choose("nobody", &identity, &err) &&
	       setresuid(SOMEBODY, identity.user, identity.user) == 0 &&
	       !privileges_choose("nobody", &identity, &err) && err.status == EX_NOPERM &&
	       strstr(err.text, "set-user-ID") != NULL;
}

static void only_root_may_become_another(void **state)
{
	struct identity identity;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(privileges_choose("nobody", &identity, &err));
	assert_int_not_equal(identity.user, 0);
	assert_string_equal(identity.name, "nobody");
	in_a_child(choose_another);
	in_a_child(choose_as_somebody_elses);
}

/* ---- for good ----------------------------------------------------------------------------- */

static bool drop_and_look(void)
{
	uid_t real, effective, saved;
	gid_t real_group, effective_group, saved_group;

	if (!privileges_drop(&somebody, &err))
		return false;
	(void)getresuid(&real, &effective, &saved);
	(void)getresgid(&real_group, &effective_group, &saved_group);
	return real == SOMEBODY && effective == SOMEBODY && saved == SOMEBODY &&
	       real_group == SOME_GROUP && effective_group == SOME_GROUP &&
	       saved_group == SOME_GROUP && setuid(0) != 0 && setgid(0) != 0 &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
	       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* Groups that root had: one of them may open what the daemon must not. */
static bool drop_groups(void)
{
	static const gid_t many[] = { SOME_GROUP + 1, SOME_GROUP + 2 };
	gid_t groups[100];
	int count;

	if (setgroups(2, many) != 0 || !privileges_drop(&somebody, &err))
		return false;
	count = getgroups(100, groups);
	for (int i = 0; i < count; i++)
		if (groups[i] == many[0] || groups[i] == many[1])
			return false;
	return count >= 0;
}

/* Who is root still could be root again, which only the proof at the end sees. */
static bool drop_to_root(void)
{
	const struct identity root = { .user = 0, .group = 0, .name = "root" };

	return !privileges_drop(&root, &err) && err.status == EX_NOPERM;
}

static bool drop_as_another(void)
{
	return setresuid(SOMEBODY + 1, SOMEBODY + 1, SOMEBODY + 1) == 0 &&
	       !privileges_drop(&somebody, &err) && err.status == EX_NOPERM;
}

static bool drop_with_a_way_back(void)
{
	return setresuid(SOMEBODY, SOMEBODY, 0) == 0 && !privileges_drop(&somebody, &err) &&
	       err.status == EX_NOPERM;
}

static bool drop_what_is_dropped(void)
{
	return setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0 && privileges_drop(&somebody, &err) &&
	       privileges_drop(&somebody, &err);
}

static void what_is_given_up_is_gone(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_a_child(drop_and_look);
	in_a_child(drop_groups);
	in_a_child(drop_what_is_dropped);
}

static void what_could_come_back_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	in_a_child(drop_to_root);
	in_a_child(drop_as_another);
	in_a_child(drop_with_a_way_back);
}

/* ---- what they need ----------------------------------------------------------------------- */

static void a_directory_is_made_once(void **state)
{
	const struct identity me = { .user = geteuid() == 0 ? SOMEBODY : geteuid(),
				     .group = geteuid() == 0 ? SOME_GROUP : getegid() };
	struct stat status;

	(void)state;
	assert_true(privileges_make_directory(scratch_path("run"), &me, &err));
	assert_int_equal(stat(scratch_path("run"), &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_int_equal(status.st_uid, me.user);
	assert_int_equal(status.st_gid, me.group);
	assert_int_equal(chmod(scratch_path("run"), 0700), 0);
	/* One that is there stays as it is. */
	assert_true(privileges_make_directory(scratch_path("run"), &me, &err));
	assert_int_equal(stat(scratch_path("run"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_false(privileges_make_directory(scratch_path("none/run"), &me, &err));
	assert_int_equal(err.status, EX_CANTCREAT);
	assert_non_null(strstr(err.text, "none/run"));
}

static bool raise_within_the_limit(void)
{
	const struct rlimit low = { .rlim_cur = 50, .rlim_max = 100 };
	struct rlimit now;

	if (geteuid() == 0 && setresuid(SOMEBODY, SOMEBODY, SOMEBODY) != 0)
		return false;
	return setrlimit(RLIMIT_NOFILE, &low) == 0 && privileges_raise_descriptors(80) == 80 &&
	       /* More than may be: as many as may be. Fewer than there are: no change. */
	       privileges_raise_descriptors(200) == 100 &&
	       privileges_raise_descriptors(10) == 100 && getrlimit(RLIMIT_NOFILE, &now) == 0 &&
	       now.rlim_cur == 100;
}

/* As in a container: root, but for the right to raise the highest number. */
static bool raise_as_root_without_the_right(void)
{
	const struct rlimit low = { .rlim_cur = 50, .rlim_max = 100 };
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) != 0)
		return false;
	data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	return syscall(SYS_capset, &head, data) == 0 && setrlimit(RLIMIT_NOFILE, &low) == 0 &&
	       privileges_raise_descriptors(80) == 80 && privileges_raise_descriptors(200) == 100;
}

static void descriptors_are_raised_as_far_as_it_goes(void **state)
{
	(void)state;
	if (under_valgrind())
		skip();
	in_a_child(raise_within_the_limit);
}

static void root_without_the_right_gets_what_is_there(void **state)
{
	(void)state;
	if (geteuid() != 0 || under_valgrind())
		skip();
	in_a_child(raise_as_root_without_the_right);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_nobody_is_refused),
		cmocka_unit_test(root_is_refused),
		cmocka_unit_test(only_root_may_become_another),
		cmocka_unit_test(what_is_given_up_is_gone),
		cmocka_unit_test(what_could_come_back_is_refused),
		SCRATCH_TEST(a_directory_is_made_once),
		cmocka_unit_test(descriptors_are_raised_as_far_as_it_goes),
		cmocka_unit_test(root_without_the_right_gets_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
