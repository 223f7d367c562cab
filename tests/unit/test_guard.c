/* SPDX-License-Identifier: BSD-2-Clause */
/* A mapped table that is changed in place: from then on nothing is known, least of all "unknown".
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/file.h"
#include "make_table.h"
#include "resolve/resolve.h"

enum { USERS = 2000 };

static char folder[] = "/tmp/test_guard.XXXXXX";
static char path[64];

static const struct resolve_limits limits = { 1000, 1000, 1000 };
static const struct resolve_options options = { .limits = &limits, .has_smtputf8 = true };

static bool refuses_handlers;

/* By their names the linker finds them: --wrap=sigaction. */
int __real_sigaction(int number, const struct sigaction *action, struct sigaction *before);
int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *before);

int __wrap_sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
	if (refuses_handlers) {
		errno = EINVAL;
		return -1;
	}
	return __real_sigaction(number, action, before);
}

/* The bytes of a table of many users at ours.test. */
static struct bytes image(void)
{
	static struct made_row rows[USERS + 2] = { { "ours.test", MADE_ALIAS_DOMAIN } };
	static char keys[USERS][32];
	struct table *table;
	struct bytes bytes;

	for (int i = 0; i < USERS; i++) {
		(void)snprintf(keys[i], sizeof(keys[i]), "user%d@ours.test", i);
		rows[i + 1] = (struct made_row){ keys[i], "somebody@far.test" };
	}
	table = make_table(rows, 1);
	bytes = table_bytes(table);
	table_close(table); /* the bytes stay: see make_table() */
	return bytes;
}

static void put(struct bytes bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(file_write_all(fd, bytes));
	assert_int_equal(close(fd), 0);
}

static enum verdict ask(const struct table *table, const char *address)
{
	struct resolution resolution;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	resolve(table, &options, bytes_of(address), &arena, NULL, &resolution);
	arena_free(&arena);
	return resolution.verdict;
}

/* Whoever is asked for, known or not: nobody can tell. */
static void expect_doubt(const struct table *table)
{
	char address[32];

	for (int i = 0; i < USERS + 10; i++) {
		(void)snprintf(address, sizeof(address), "<user%d@ours.test>", i);
		assert_int_equal(ask(table, address), VERDICT_DEFER);
	}
	assert_int_equal(ask(table, "<x@elsewhere.test>"), VERDICT_DEFER);
	/* Nor whether this leads to a domain of ours. */
	assert_int_equal(ask(table, "<x%ours.test>"), VERDICT_DEFER);
	assert_int_equal(ask(table, "<x%ours.test@ours.test>"), VERDICT_DEFER);
}

static struct table *open_guarded(void)
{
	struct error err;
	struct table *table = table_open(path, (uid_t)-1, TABLE_GUARDED, &err);

	assert_non_null(table);
	assert_true(table_is_guarded(table));
	assert_int_equal(ask(table, "<user7@ours.test>"), VERDICT_EXPAND);
	assert_int_equal(ask(table, "<nobody@ours.test>"), VERDICT_UNKNOWN);
	return table;
}

/* The first of all tests: the next one installs the handler, and the process has but one. cmocka
 * takes it away at the end of that test. */
static void nothing_is_guarded_without_a_handler(void **state)
{
	struct error err;

	(void)state;
	put(image());
	refuses_handlers = true;
	for (int i = 0; i < 2; i++) {
		assert_null(table_open(path, (uid_t)-1, TABLE_GUARDED, &err));
		assert_int_equal(err.status, EX_OSERR);
		assert_non_null(strstr(err.text, "SIGBUS"));
	}
	refuses_handlers = false;
}

static void truncated_table_is_in_doubt(void **state)
{
	struct table *table;

	(void)state;
	put(image());
	table = open_guarded();
	assert_int_equal(truncate(path, 4096), 0);
	expect_doubt(table);
	table_close(table);
}

static void overwritten_table_is_in_doubt(void **state)
{
	struct table *table;
	int fd;

	(void)state;
	put(image());
	table = open_guarded();
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 8192), 4);
	assert_int_equal(close(fd), 0);
	expect_doubt(table);
	table_close(table);
}

static struct timespec changed_at(const char *file)
{
	struct stat status;

	assert_int_equal(stat(file, &status), 0);
	return status.st_ctim;
}

/* The clock of files may go in steps of milliseconds: wait for one behind that of the table. */
static void let_time_pass(void)
{
	const struct timespec table = changed_at(path);
	struct timespec now;
	char other[80];

	(void)snprintf(other, sizeof(other), "%s.clock", path);
	do {
		int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_true(fd >= 0);
		assert_int_equal(close(fd), 0);
		now = changed_at(other);
		assert_int_equal(unlink(other), 0);
	} while (now.tv_sec == table.tv_sec && now.tv_nsec == table.tv_nsec);
}

/* Write BYTES at OFFSET of the table and give it back the time that it had. */
static void write_unseen(struct bytes bytes, off_t offset)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	struct stat status;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	let_time_pass();
	times[1] = status.st_mtim;
	assert_int_equal(pwrite(fd, bytes.data, bytes.size, offset), bytes.size);
	assert_int_equal(futimens(fd, times), 0);
	assert_int_equal(close(fd), 0);
}

/* Zeros in its body: unknown users would be foreign, and aliases be left alone. */
static void a_time_set_back_hides_nothing(void **state)
{
	static const char zeros[4096];
	struct table *table;

	(void)state;
	put(image());
	table = open_guarded();
	write_unseen(bytes_make(zeros, sizeof(zeros)), 4096);
	expect_doubt(table);
	table_close(table);
}

/* As from tar or rsync --inplace: every byte is another's, size and time are the same. */
static void another_table_with_its_time_is_in_doubt(void **state)
{
	struct bytes bytes = image();
	struct table *table;
	char *other = malloc(bytes.size);

	(void)state;
	assert_non_null(other);
	memcpy(other, bytes.data, bytes.size);
	other[bytes.size - 1] ^= 1; /* whatever it answers */
	put(bytes);
	table = open_guarded();
	write_unseen(bytes_make(other, bytes.size), 0);
	free(other);
	expect_doubt(table);
	table_close(table);
}

/* Whoever changes it may change it back: what was read in between is gone. */
static void doubt_does_not_go_away(void **state)
{
	const struct timespec later[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	struct timespec before[2] = { { .tv_nsec = UTIME_OMIT } };
	struct table *table;
	struct stat status;

	(void)state;
	put(image());
	table = open_guarded();
	assert_int_equal(stat(path, &status), 0);
	before[1] = status.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, path, later, 0), 0);
	expect_doubt(table);
	assert_int_equal(utimensat(AT_FDCWD, path, before, 0), 0);
	expect_doubt(table);
	table_close(table);
}

/* A change of name, mode or links writes nothing; what is written afterwards is seen all the same.
 */
static void other_rights_are_no_change(void **state)
{
	static const char zeros[64];
	struct table *table;
	char other[80];

	(void)state;
	put(image());
	table = open_guarded();
	let_time_pass();
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(ask(table, "<user7@ours.test>"), VERDICT_EXPAND);
	(void)snprintf(other, sizeof(other), "%s.link", path);
	let_time_pass();
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(ask(table, "<user7@ours.test>"), VERDICT_EXPAND);
	let_time_pass();
	assert_int_equal(link(path, other), 0);
	assert_int_equal(ask(table, "<nobody@ours.test>"), VERDICT_UNKNOWN);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(ask(table, "<nobody@ours.test>"), VERDICT_UNKNOWN);
	write_unseen(bytes_make(zeros, sizeof(zeros)), 4096);
	expect_doubt(table);
	table_close(table);
}

static void replaced_table_goes_on(void **state)
{
	struct table *table;
	char other[80];

	(void)state;
	put(image());
	table = open_guarded();
	(void)snprintf(other, sizeof(other), "%s.new", path);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(unlink(path), 0);
	put(bytes_of("another file"));
	assert_int_equal(ask(table, "<user7@ours.test>"), VERDICT_EXPAND);
	assert_int_equal(ask(table, "<nobody@ours.test>"), VERDICT_UNKNOWN);
	assert_int_equal(unlink(other), 0);
	table_close(table);
}

static void guards_are_given_back(void **state)
{
	struct table *tables[32];
	struct error err;
	size_t count = 0;

	(void)state;
	put(image());
	while (count < 32 &&
	       (tables[count] = table_open(path, (uid_t)-1, TABLE_GUARDED, &err)) != NULL)
		count++;
	assert_int_equal(count, 16);
	assert_int_equal(err.status, EX_OSERR);
	while (count > 0)
		table_close(tables[--count]);
	table_close(open_guarded());
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/table", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return unlink(path) | rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_guarded_without_a_handler),
		cmocka_unit_test(truncated_table_is_in_doubt),
		cmocka_unit_test(overwritten_table_is_in_doubt),
		cmocka_unit_test(a_time_set_back_hides_nothing),
		cmocka_unit_test(another_table_with_its_time_is_in_doubt),
		cmocka_unit_test(doubt_does_not_go_away),
		cmocka_unit_test(other_rights_are_no_change),
		cmocka_unit_test(replaced_table_goes_on),
		cmocka_unit_test(guards_are_given_back),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
