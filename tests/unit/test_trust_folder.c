/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <sysexits.h>

#include "scratch.h"

static void is_the_folder(int fd, const char *path)
{
	struct stat opened, named;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &opened), 0);
	assert_int_equal(stat(path, &named), 0);
	assert_int_equal(opened.st_ino, named.st_ino);
	assert_int_equal(opened.st_dev, named.st_dev);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
}

static void a_path_is_taken_apart(void **state)
{
	static const struct {
		const char *path, *folder, *name;
	} cases[] = {
		{ "name", ".", "name" },          { "./name", ".", "name" },
		{ "/name", "/", "name" },         { "/tmp/name", "/tmp", "name" },
		{ "/tmp//name", "/tmp", "name" }, { "/tmp/..", "/tmp", ".." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name;
		int fd = trust_open_folder(cases[i].path, O_PATH, &name);

		is_the_folder(fd, cases[i].folder);
		assert_string_equal(name, cases[i].name);
		/* A view into the path. */
		assert_ptr_equal(name + strlen(name), cases[i].path + strlen(cases[i].path));
	}
}

static void a_path_without_a_name_is_refused(void **state)
{
	static const char *const paths[] = { "", "/", "/tmp/", "./" };
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		errno = 0;
		assert_int_equal(trust_open_folder(paths[i], O_PATH, &name), -1);
		assert_int_equal(errno, EISDIR);
	}
}

static void errno_says_what_is_wrong_with_the_folder(void **state)
{
	const char *name;

	(void)state;
	assert_int_equal(trust_open_folder(scratch_path("none/name"), O_RDONLY, &name), -1);
	assert_int_equal(errno, ENOENT);
	scratch_put("file", "");
	assert_int_equal(trust_open_folder(scratch_path("file/name"), O_RDONLY, &name), -1);
	assert_int_equal(errno, ENOTDIR);
}

static void a_link_is_followed_unless_it_must_not_be(void **state)
{
	const char *name;

	(void)state;
	assert_int_equal(symlink(".", scratch_path("link")), 0);
	is_the_folder(trust_open_folder(scratch_path("link/name"), O_RDONLY, &name),
		      scratch_folder);
	assert_string_equal(name, "name");
	assert_int_equal(trust_open_folder(scratch_path("link/name"), O_RDONLY | O_NOFOLLOW, &name),
			 -1);
	assert_true(errno == ELOOP || errno == ENOTDIR);
}

/* ---- links to files ----------------------------------------------------------------------- */

static struct error err;

static void make_folder(const char *name, mode_t mode)
{
	assert_int_equal(mkdir(scratch_path(name), mode), 0);
	assert_int_equal(chmod(scratch_path(name), mode), 0);
}

static void is_refused(const char *name, const char *folder)
{
	assert_false(trust_check_folder_of(scratch_path(name), &err));
	assert_int_equal(err.status, EX_NOPERM);
	if (strstr(err.text, folder) == NULL ||
	    strstr(err.text, "others may write its directory") == NULL)
		fail_msg("%s", err.text);
}

static void each_folder_on_the_way_is_looked_at(void **state)
{
	(void)state;
	make_folder("open", 0777);
	make_folder("good", 0755);
	scratch_put("open/file", "");
	scratch_put("good/file", "");
	/* The last one, by a path of either kind; and one between. */
	assert_int_equal(symlink("../open/file", scratch_path("good/relative")), 0);
	is_refused("good/relative", "/open/file: ");
	assert_int_equal(symlink(scratch_path("open/file"), scratch_path("good/absolute")), 0);
	is_refused("good/absolute", "/open/file: ");
	assert_int_equal(symlink("../good/file", scratch_path("open/link")), 0);
	assert_int_equal(symlink("open/link", scratch_path("links")), 0);
	is_refused("links", "/open/link: ");
	assert_int_equal(chmod(scratch_path("open"), 0755), 0);
	assert_true(trust_check_folder_of(scratch_path("links"), &err));
	assert_true(trust_check_folder_of(scratch_path("good/relative"), &err));
	assert_true(trust_check_folder_of(scratch_path("good/absolute"), &err));
}

static void from_where_we_are(void **state)
{
	char before[PATH_MAX];

	(void)state;
	make_folder("open", 0777);
	assert_int_equal(symlink("open/file", scratch_path("link")), 0);
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(scratch_folder), 0);
	assert_false(trust_check_folder_of("link", &err));
	assert_int_equal(chdir(before), 0);
	assert_non_null(strstr(err.text, "open/file: "));
}

/* Whoever opens it says what is wrong. */
static void links_to_nowhere_and_in_circles(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", scratch_path("dangling")), 0);
	assert_true(trust_check_folder_of(scratch_path("dangling"), &err));
	assert_int_equal(symlink("none/file", scratch_path("lost")), 0);
	assert_false(trust_check_folder_of(scratch_path("lost"), &err));
	assert_int_equal(err.status, EX_OSERR);
	assert_int_equal(symlink("circle", scratch_path("circle")), 0);
	assert_false(trust_check_folder_of(scratch_path("circle"), &err));
	assert_int_equal(err.status, EX_OSERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_taken_apart),
		cmocka_unit_test(a_path_without_a_name_is_refused),
		SCRATCH_TEST(errno_says_what_is_wrong_with_the_folder),
		SCRATCH_TEST(a_link_is_followed_unless_it_must_not_be),
		SCRATCH_TEST(each_folder_on_the_way_is_looked_at),
		SCRATCH_TEST(from_where_we_are),
		SCRATCH_TEST(links_to_nowhere_and_in_circles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
