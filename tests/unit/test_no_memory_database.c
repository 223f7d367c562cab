/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A database is read with each allocation failing in turn: nothing comes of it but the error that
 * there is no memory, or all of its rows. The library of the database keeps its memory.
 */
#include "sources/source.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "settings/fields.h"
#include "unit/failing_memory.h"

static char folder[] = "/tmp/test_database.XXXXXX";
static char table_path[PATH_MAX];
static char data_path[PATH_MAX];
static struct settings *settings;

static void put_table(const char *query)
{
	FILE *stream = fopen(table_path, "w");

	assert_non_null(stream);
	assert_true(fprintf(stream, "dbpath = %s\nresult_format = %%s\nquery = %s\n", data_path,
			    query) > 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(table_path, 0640), 0);
}

/* Where the module is; false: nobody has built it. */
static bool find_module(void)
{
	const char *build = getenv("OPENRCPT_BUILD_DIR");
	char path[PATH_MAX];
	char full[PATH_MAX]; /* as another is not taken */

	(void)snprintf(path, sizeof(path), "%s/src/modules", build != NULL ? build : "..");
	if (realpath(path, full) == NULL || setenv("OPENRCPT_MODULE_DIRECTORY", full, 1) != 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/src/modules/sqlite.so",
		       build != NULL ? build : "..");
	return access(path, R_OK) == 0;
}

static int begin(void **state)
{
	char command[4 * PATH_MAX];

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(table_path, sizeof(table_path), "%s/table.cf", folder);
	(void)snprintf(data_path, sizeof(data_path), "%s/data", folder);
	(void)snprintf(command, sizeof(command),
		       "python3 -c \"import sqlite3; c = sqlite3.connect('%s'); c.executescript('''"
		       "CREATE TABLE alias (id INTEGER PRIMARY KEY, address, goto);"
		       "INSERT INTO alias VALUES (1, 'a@x.test', 'b@y.test'), (2, 'a@x.test', "
		       "'c@y.test'), (3, 'B@x.test', 'd' || char(10) || 'e'), (4, 'c@x.test', '');"
		       "''')\"",
		       data_path);
	settings = settings_new();
	return settings == NULL || system(command) != 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	settings_free(settings);
	(void)unlink(table_path);
	(void)unlink(data_path);
	return rmdir(folder);
}

/* The rows that come of FROM; SIZE_MAX: none, for want of memory. */
static size_t read_rows(const struct settings_source *from)
{
	const struct source_type *type = source_type_find("sqlite");
	struct source *source;
	struct source_row row;
	struct report report;
	enum source_step step = SOURCE_FAILED;
	size_t count = 0;
	FILE *nowhere = fopen("/dev/null", "w");

	assert_non_null(nowhere);
	report_init(&report, nowhere);
	source = type->open(from, settings, &report);
	if (source != NULL) {
		while ((step = type->next(source, &row)) == SOURCE_ROW)
			count++;
		type->close(source);
	}
	if (step == SOURCE_FAILED) {
		if (report.errors == 0 || report.status != EX_OSERR)
			fail_msg("allocation %lu: status %d", fails_at, report.status);
		count = SIZE_MAX;
	} else {
		assert_int_equal(report.errors, 0);
	}
	report_free(&report);
	assert_int_equal(fclose(nowhere), 0);
	return count;
}

static void try_all(const struct settings_source *from, size_t expected)
{
	unsigned long most;
	size_t failed = 0;

	calls = 0;
	fails_at = 0;
	assert_int_equal(read_rows(from), expected);
	most = calls;
	for (unsigned long number = 1; number <= most; number++) {
		for (int turn = 0; turn < 2; turn++) {
			size_t count;

			calls = 0;
			fails_at = number;
			fails_for_good = turn == 1;
			count = read_rows(from);
			fails_at = 0;
			failed += count == SIZE_MAX;
			/* Some do without, as what only shows a key. */
			if (count != SIZE_MAX)
				if (count != expected)
					fail_msg("allocation %lu: %zu rows", number, count);
		}
	}
	assert_true(most > 20);
	assert_true(failed > most);
}

static void of_a_table_of_postfix(void **state)
{
	const struct settings_source from = { .type = (char *)(uintptr_t) "sqlite",
					      .path = table_path };

	(void)state;
	put_table("SELECT goto FROM alias WHERE address = '%s'");
	try_all(&from, 2);
	put_table("SELECT goto FROM alias WHERE substr(address, 1, instr(address, '@') - 1) = '%u' "
		  "AND substr(address, instr(address, '@') + 1) = '%d'");
	try_all(&from, 2);
}

static void of_keys_asked_alone(void **state)
{
	struct settings_source from = { 0 };

	(void)state;
	put_table("SELECT goto FROM alias WHERE address = '%s' LIMIT 1");
	from.type = strdup("sqlite");
	from.path = strdup(table_path);
	assert_true(settings_source_set(&from, "keys_query", "SELECT address FROM alias", 1));
	try_all(&from, 1);
	settings_source_clear(&from);
}

static void of_queries_of_its_own(void **state)
{
	struct settings_source from = { 0 };

	(void)state;
	from.type = strdup("sqlite");
	from.path = strdup("");
	assert_true(settings_source_set(&from, "connection", data_path, 1));
	assert_true(settings_source_set(&from, "name", "main", 2));
	assert_true(settings_source_set(&from, "alias_query", "SELECT address, goto, id FROM alias",
					3));
	assert_true(
		settings_source_set(&from, "domain_alias_query", "SELECT 'x.test', 'y.test'", 4));
	try_all(&from, 3);
	settings_source_clear(&from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_table_of_postfix),
		cmocka_unit_test(of_keys_asked_alone),
		cmocka_unit_test(of_queries_of_its_own),
	};

	if (!find_module()) {
		(void)puts("SKIP: the module for SQLite is not built");
		return 77;
	}
	return cmocka_run_group_tests(tests, begin, end);
}
