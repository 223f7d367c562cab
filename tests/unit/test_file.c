/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a file into sealed memory; writing one aside and renaming it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char folder[] = "/tmp/test_file.XXXXXX";
static char path[PATH_MAX];
static struct error err;
static const struct file_limits ANY = { 0, SIZE_MAX, (uid_t)-1 };

static void put(const char *name, const char *text, mode_t mode)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void (*while_copied)(void); /* runs once, between reading a file and looking at it again */
static int looks;

/* In place of the C library's, for what is linked into this program. */
int fstat(int fd, struct stat *status)
{
	int result = fstatat(fd, "", status, AT_EMPTY_PATH);

	if (while_copied == NULL || result != 0 || !S_ISREG(status->st_mode) || ++looks < 2)
		return result;
	while_copied();
	while_copied = NULL;
	return fstatat(fd, "", status, AT_EMPTY_PATH);
}

/* How many names in the folder begin with PREFIX and end with SUFFIX? */
static int count_names(const char *prefix, const char *suffix)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	int count = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		size_t size = strlen(entry->d_name);

		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
			 size >= strlen(suffix) &&
			 strcmp(entry->d_name + size - strlen(suffix), suffix) == 0;
	}
	assert_int_equal(closedir(directory), 0);
	return count;
}

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_file.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	memset(&err, 0, sizeof(err));
	return 0;
}

static int end(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void refuses(int status, const char *words)
{
	struct file_copy copy;

	assert_false(file_copy_load(path, &ANY, &copy, &err));
	assert_int_equal(err.status, status);
	if (strstr(err.text, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, err.text);
	assert_non_null(strstr(err.text, path));
}

static void copy_is_what_was_read(void **state)
{
	static char text[700001];
	struct file_copy copy;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('a' + i * i % 26);
	put(path, text, 0640);
	assert_true(file_copy_load(path, &ANY, &copy, &err));
	assert_int_equal(copy.bytes.size, sizeof(text) - 1);
	assert_memory_equal(copy.bytes.data, text, sizeof(text) - 1);
	file_copy_free(&copy);
}

static void copy_does_not_change_with_the_file(void **state)
{
	struct file_copy copy;

	(void)state;
	put(path, "as it was", 0600);
	assert_true(file_copy_load(path, &ANY, &copy, &err));
	put(path, "AS IT IS NOW", 0600);
	assert_memory_equal(copy.bytes.data, "as it was\0\0\0\0", 13);
	assert_int_equal(truncate(path, 0), 0);
	assert_memory_equal(copy.bytes.data, "as it was\0\0\0\0", 13);
	file_copy_free(&copy);
}

static void let_it_grow(void)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(file_write_all(fd, bytes_of(", and more")));
	assert_int_equal(close(fd), 0);
}

/* What is dropped then has no descriptor yet, and none may be closed for it: not number 0 either,
 * for which a compiler that clears all variables would take it. */
static void copy_of_what_changes_meanwhile_closes_nothing_else(void **state)
{
	struct file_copy copy;
	int before = fcntl(STDIN_FILENO, F_GETFD);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	if (before < 0)
		assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
	put(path, "as it was", 0600);
	looks = 0;
	while_copied = let_it_grow;
	assert_false(file_copy_load(path, &ANY, &copy, &err));
	assert_non_null(strstr(err.text, path));
	assert_null(while_copied);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	if (null != STDIN_FILENO)
		assert_int_equal(close(null), 0);
}

/* Asked of the kernel, which says no where a store would be a SIGSEGV. */
static void copy_can_not_be_written(void **state)
{
	struct file_copy copy;
	int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)state;
	put(path, "sealed", 0600);
	assert_true(file_copy_load(path, &ANY, &copy, &err));
	assert_true(zeros >= 0);
	assert_int_equal(read(zeros, (void *)(uintptr_t)copy.bytes.data, 1), -1);
	assert_int_equal(errno, EFAULT);
	assert_memory_equal(copy.bytes.data, "sealed", 6);
	(void)close(zeros);
	file_copy_free(&copy);
}

static void copy_of_an_empty_file(void **state)
{
	struct file_copy copy;
	struct file_limits limits = { 1, 100, (uid_t)-1 };

	(void)state;
	put(path, "", 0600);
	assert_true(file_copy_load(path, &ANY, &copy, &err));
	assert_int_equal(copy.bytes.size, 0);
	file_copy_free(&copy);
	assert_false(file_copy_load(path, &limits, &copy, &err));
	assert_int_equal(err.status, EX_DATAERR);
}

static void copy_refuses_what_is_too_long(void **state)
{
	struct file_copy copy;
	struct file_limits limits = { 0, 3, (uid_t)-1 };

	(void)state;
	put(path, "four", 0600);
	assert_false(file_copy_load(path, &limits, &copy, &err));
	assert_int_equal(err.status, EX_DATAERR);
	assert_non_null(strstr(err.text, "too long (4 bytes)"));
	put(path, "fou", 0600);
	assert_true(file_copy_load(path, &limits, &copy, &err));
	file_copy_free(&copy);
}

static void copy_refuses_what_others_may_write(void **state)
{
	(void)state;
	put(path, "x", 0646);
	refuses(EX_NOPERM, "others may write it (mode 0646)");
	put(path, "x", 0664);
	refuses(EX_NOPERM, "its group may write it (mode 0664)");
	put(path, "x", 0640);
	assert_int_equal(chmod(folder, 0777), 0);
	refuses(EX_NOPERM, "others may write its directory (mode 0777)");
}

static void copy_refuses_links(void **state)
{
	char other[PATH_MAX + 8], linked[PATH_MAX + 8];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	put(other, "x", 0600);
	assert_int_equal(symlink("other", path), 0);
	refuses(EX_NOPERM, "is a symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
	refuses(EX_NOPERM, "has 2 names");
	assert_int_equal(unlink(other), 0);
	assert_int_equal(symlink(".", other), 0);
	(void)snprintf(linked, sizeof(linked), "%s/other/table", folder);
	(void)strcpy(path, linked);
	refuses(EX_NOINPUT, "its directory is none, or a link");
}

static void copy_refuses_what_is_no_file(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	(void)state;
	refuses(EX_NOINPUT, "No such file");
	assert_int_equal(mkdir(path, 0700), 0);
	refuses(EX_NOPERM, "not a regular file");
	assert_int_equal(rmdir(path), 0);
	/* A hanging open would end this test by the harness's time limit. */
	assert_int_equal(mkfifo(path, 0600), 0);
	refuses(EX_NOPERM, "not a regular file");
	assert_int_equal(unlink(path), 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	refuses(EX_NOPERM, "not a regular file");
	assert_int_equal(close(fd), 0);
	(void)snprintf(path, sizeof(path), "%s/", folder);
	refuses(EX_NOPERM, "not a regular file");
}

static void copy_refuses_foreign_owners(void **state)
{
	struct file_copy copy;
	struct file_limits limits = ANY;

	(void)state;
	if (geteuid() != 0)
		skip();
	put(path, "x", 0600);
	assert_int_equal(chown(path, 12345, 0), 0);
	refuses(EX_NOPERM, "belongs to user 12345");
	limits.also_owner = 12345;
	assert_true(file_copy_load(path, &limits, &copy, &err));
	file_copy_free(&copy);
}

static void map_checks_as_copy_does(void **state)
{
	struct file_copy copy;

	(void)state;
	put(path, "mapped", 0666);
	assert_false(file_copy_map(path, &ANY, &copy, &err));
	assert_int_equal(err.status, EX_NOPERM);
	put(path, "mapped", 0600);
	assert_true(file_copy_map(path, &ANY, &copy, &err));
	assert_memory_equal(copy.bytes.data, "mapped", 6);
	file_copy_free(&copy);
	put(path, "", 0600);
	assert_true(file_copy_map(path, &ANY, &copy, &err));
	file_copy_free(&copy);
}

static void identity_tells_versions_apart(void **state)
{
	struct file_identity first, same, second;
	char other[PATH_MAX + 8];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	assert_false(file_identity_get(path, &first));
	put(path, "1", 0600);
	put(other, "2", 0600);
	assert_true(file_identity_get(path, &first));
	assert_true(file_identity_get(path, &same));
	assert_true(file_identity_equal(&first, &same));
	assert_int_equal(rename(other, path), 0);
	assert_true(file_identity_get(path, &second));
	assert_false(file_identity_equal(&first, &second));
}

/* ---- writing ------------------------------------------------------------------------------ */

static void write_new(const char *text, mode_t mode)
{
	struct file_output output = FILE_OUTPUT_NONE;
	char temporary[PATH_MAX];
	bool is_installed;

	assert_true(file_output_lock(path, 0, &output, &err));
	assert_true(file_output_create(&output, mode, &err));
	assert_true(file_write_all(output.fd, bytes_of(text)));
	assert_true(file_output_sync(&output, temporary, sizeof(temporary), &err));
	assert_int_equal(access(temporary, F_OK), 0);
	assert_true(file_output_install(&output, &is_installed, &err));
	assert_true(is_installed);
	file_output_close(&output);
}

static void is_now(const char *text)
{
	struct file_copy copy;

	assert_true(file_copy_load(path, &ANY, &copy, &err));
	assert_int_equal(copy.bytes.size, strlen(text));
	assert_memory_equal(copy.bytes.data, text, strlen(text));
	file_copy_free(&copy);
}

static void output_is_installed_with_its_mode(void **state)
{
	struct stat status;
	mode_t before;

	(void)state;
	before = umask(0);
	write_new("first", 0640);
	(void)umask(0777);
	is_now("first");
	write_new("second", 0640);
	(void)umask(before);
	is_now("second");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(count_names(".table.", ".tmp"), 0);
	assert_int_equal(count_names(".table.lock", ""), 1);
}

static void output_of_root_keeps_owner_or_takes_group_of_directory(void **state)
{
	struct stat status;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(folder, 0, 23456), 0);
	write_new("first", 0640);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_gid, 23456);
	assert_int_equal(chown(path, 12345, 34567), 0);
	write_new("second", 0640);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 12345);
	assert_int_equal(status.st_gid, 34567);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(chown(path, 12345, 0), 0);
	write_new("third", 0640);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 12345);
	assert_int_equal(status.st_gid, 0);
}

static void output_of_root_in_place_of_a_copy_takes_group_of_directory(void **state)
{
	struct stat status;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(folder, 0, 23456), 0);
	put(path, "restored", 0640);
	assert_int_equal(chown(path, 0, 0), 0);
	write_new("compiled", 0640);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_gid, 23456);
}

static void output_without_install_leaves_the_old_one(void **state)
{
	struct file_output output = FILE_OUTPUT_NONE;

	(void)state;
	put(path, "old", 0640);
	assert_true(file_output_lock(path, 0, &output, &err));
	assert_true(file_output_create(&output, 0640, &err));
	assert_true(file_write_all(output.fd, bytes_of("half")));
	assert_int_equal(count_names(".table.", ".tmp"), 1);
	file_output_close(&output);
	assert_int_equal(count_names(".table.", ".tmp"), 0);
	is_now("old");
	file_output_close(&output);
}

static void output_removes_what_killed_writers_left_and_nothing_else(void **state)
{
	static const char *const names[] = { ".table.0123456789ab.tmp", ".table.0123456789abc.tmp",
					     ".table.0123456789aX.tmp", ".tablf.0123456789ab.tmp",
					     "table.0123456789ab.tmp" };
	char name[PATH_MAX + 32];
	struct file_output output = FILE_OUTPUT_NONE;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		put(name, "", 0600);
	}
	assert_true(file_output_lock(path, 0, &output, &err));
	file_output_close(&output);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		assert_int_equal(access(name, F_OK), i == 0 ? -1 : 0);
	}
}

static void output_lock_keeps_a_second_writer_out(void **state)
{
	struct file_output first = FILE_OUTPUT_NONE, second = FILE_OUTPUT_NONE;

	(void)state;
	assert_true(file_output_lock(path, 0, &first, &err));
	assert_false(file_output_lock(path, 60, &second, &err));
	assert_int_equal(err.status, EX_TEMPFAIL);
	assert_non_null(strstr(err.text, "locked"));
	file_output_close(&first);
	assert_true(file_output_lock(path, 0, &second, &err));
	file_output_close(&second);
}

static void output_lock_waits_for_the_first_writer(void **state)
{
	struct file_output output = FILE_OUTPUT_NONE;
	int ready[2];
	char byte;
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (!file_output_lock(path, 0, &output, &err))
			_exit(1);
		(void)!write(ready[1], "", 1);
		(void)usleep(50000);
		if (!file_output_create(&output, 0600, &err))
			_exit(2);
		_exit(0); /* as if killed: lock and temporary are left */
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(file_output_lock(path, 60000, &output, &err));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(count_names(".table.", ".tmp"), 0);
	file_output_close(&output);
	assert_int_equal(close(ready[0]) | close(ready[1]), 0);
}

static void lock_refused(int status, const char *words)
{
	struct file_output output = FILE_OUTPUT_NONE;

	assert_false(file_output_lock(path, 0, &output, &err));
	assert_int_equal(err.status, status);
	if (strstr(err.text, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, err.text);
}

static void output_refuses_targets_that_are_no_files(void **state)
{
	char other[PATH_MAX + 8];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	put(other, "kept", 0600);
	assert_int_equal(symlink("other", path), 0);
	lock_refused(EX_CANTCREAT, "is a symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	lock_refused(EX_CANTCREAT, "is not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	lock_refused(EX_CANTCREAT, "is a directory");
	(void)snprintf(path, sizeof(path), "%s/", folder);
	lock_refused(EX_CANTCREAT, "Is a directory");
	(void)snprintf(path, sizeof(path), "%s/none/table", folder);
	lock_refused(EX_CANTCREAT, "No such file");
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	assert_int_equal(chmod(folder, 0777), 0);
	lock_refused(EX_NOPERM, "others may write its directory");
	(void)strcpy(path, "/proc/table");
	lock_refused(EX_CANTCREAT, "lock file");
}

static void output_does_not_replace_what_came_meanwhile(void **state)
{
	struct file_output output = FILE_OUTPUT_NONE;
	struct stat status;
	bool is_installed;

	(void)state;
	assert_true(file_output_lock(path, 0, &output, &err));
	assert_true(file_output_create(&output, 0640, &err));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(file_output_install(&output, &is_installed, &err));
	assert_false(is_installed);
	assert_int_equal(err.status, EX_CANTCREAT);
	file_output_close(&output);
	assert_int_equal(lstat(path, &status), 0);
	assert_true(S_ISFIFO(status.st_mode));
	assert_int_equal(count_names(".table.", ".tmp"), 0);
}

/* ---- what is replaced ---------------------------------------------------------------------- */

static bool can_exchange = true;

/* The C library's, and a file system that can't. */
int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	if (can_exchange)
		return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
	errno = EINVAL;
	return -1;
}

/* Write TEXT, keeping what was there as `old`; what became of that is in *OUT_TROUBLE. */
static void replace_keeping(const char *text, struct error *out_trouble)
{
	struct file_output output = FILE_OUTPUT_NONE;
	char temporary[PATH_MAX];
	bool is_installed;

	assert_true(file_output_lock(path, 0, &output, &err));
	assert_true(file_output_keep(&output, "old", &err));
	assert_true(file_output_create(&output, 0640, &err));
	assert_true(file_write_all(output.fd, bytes_of(text)));
	assert_true(file_output_sync(&output, temporary, sizeof(temporary), &err));
	assert_true(file_output_install(&output, &is_installed, &err));
	*out_trouble = output.kept_trouble;
	file_output_close(&output);
	is_now(text);
	assert_int_equal(count_names(".table.", ".tmp"), 0);
}

static void old_has(const char *text, mode_t mode)
{
	char old[PATH_MAX + 8];
	struct file_copy copy;
	struct stat status;

	(void)snprintf(old, sizeof(old), "%s/old", folder);
	assert_int_equal(lstat(old, &status), 0);
	assert_int_equal(status.st_mode & 07777, mode);
	assert_int_equal(status.st_nlink, 1);
	assert_true(file_copy_load(old, &ANY, &copy, &err));
	assert_int_equal(copy.bytes.size, strlen(text));
	assert_memory_equal(copy.bytes.data, text, strlen(text));
	file_copy_free(&copy);
}

static void keep_what_is_replaced(bool exchanges)
{
	struct error trouble;

	can_exchange = exchanges;
	replace_keeping("1", &trouble);
	assert_int_equal(trouble.status, 0);
	assert_int_equal(count_names("old", ""), 0);
	assert_int_equal(chmod(path, 0600), 0);
	replace_keeping("22", &trouble);
	assert_int_equal(trouble.status, 0);
	old_has("1", 0600);
	replace_keeping("333", &trouble);
	assert_int_equal(trouble.status, 0);
	old_has("22", 0640);
	can_exchange = true;
}

static void output_keeps_what_it_replaces(void **state)
{
	(void)state;
	keep_what_is_replaced(true);
}

static void output_keeps_a_copy_where_names_cant_be_exchanged(void **state)
{
	(void)state;
	keep_what_is_replaced(false);
}

static void output_installs_what_it_cant_keep_the_old_one_for(void **state)
{
	char old[PATH_MAX + 8];
	struct error trouble;

	(void)state;
	(void)snprintf(old, sizeof(old), "%s/old", folder);
	assert_int_equal(mkdir(old, 0700), 0);
	replace_keeping("1", &trouble);
	assert_int_equal(trouble.status, 0);
	for (int i = 0; i < 2; i++) {
		can_exchange = i == 0;
		replace_keeping("2", &trouble);
		assert_int_equal(trouble.status, EX_CANTCREAT);
		assert_non_null(strstr(trouble.text, "not kept"));
	}
	can_exchange = true;
	assert_int_equal(rmdir(old), 0);
}

static void output_over_the_size_limit_is_an_error(void **state)
{
	struct file_output output = FILE_OUTPUT_NONE;
	struct rlimit before, small;
	bool is_written;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 5;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_true(file_output_lock(path, 0, &output, &err));
	assert_true(file_output_create(&output, 0640, &err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	is_written = file_write_all(output.fd, bytes_of("123456"));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(is_written);
	file_output_close(&output);
	assert_int_equal(count_names("table", ""), 0);
}

static void write_all_gets_everything_through_a_slow_pipe(void **state)
{
	static char text[300000];
	size_t seen = 0;
	int fds[2];
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(file_write_all(fds[1], bytes_make(text, sizeof(text))) ? 0 : 1);
	assert_int_equal(close(fds[1]), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
	for (;;) {
		char piece[1000];
		ssize_t got = read(fds[0], piece, sizeof(piece));

		assert_true(got >= 0);
		if (got == 0)
			break;
		seen += (size_t)got;
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(seen, sizeof(text));
	assert_int_equal(close(fds[0]), 0);
}

static void write_all_to_a_full_device_fails(void **state)
{
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_false(file_write_all(fd, bytes_of("x")));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(close(fd), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copy_is_what_was_read),
		TEST(copy_does_not_change_with_the_file),
		TEST(copy_of_what_changes_meanwhile_closes_nothing_else),
		TEST(copy_can_not_be_written),
		TEST(copy_of_an_empty_file),
		TEST(copy_refuses_what_is_too_long),
		TEST(copy_refuses_what_others_may_write),
		TEST(copy_refuses_links),
		TEST(copy_refuses_what_is_no_file),
		TEST(copy_refuses_foreign_owners),
		TEST(map_checks_as_copy_does),
		TEST(identity_tells_versions_apart),
		TEST(output_is_installed_with_its_mode),
		TEST(output_of_root_keeps_owner_or_takes_group_of_directory),
		TEST(output_of_root_in_place_of_a_copy_takes_group_of_directory),
		TEST(output_without_install_leaves_the_old_one),
		TEST(output_removes_what_killed_writers_left_and_nothing_else),
		TEST(output_lock_keeps_a_second_writer_out),
		TEST(output_lock_waits_for_the_first_writer),
		TEST(output_refuses_targets_that_are_no_files),
		TEST(output_does_not_replace_what_came_meanwhile),
		TEST(output_keeps_what_it_replaces),
		TEST(output_keeps_a_copy_where_names_cant_be_exchanged),
		TEST(output_installs_what_it_cant_keep_the_old_one_for),
		TEST(output_over_the_size_limit_is_an_error),
		TEST(write_all_gets_everything_through_a_slow_pipe),
		TEST(write_all_to_a_full_device_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
