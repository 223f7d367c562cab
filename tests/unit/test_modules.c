/* SPDX-License-Identifier: BSD-2-Clause */
#include "database/modules.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_modules.XXXXXX";
static char path[PATH_MAX];

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_modules.XXXXXX");
	if (mkdtemp(folder) == NULL || setenv("OPENRCPT_MODULE_DIRECTORY", folder, 1) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/sqlite.so", folder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void put(mode_t mode)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* Loading fails with STATUS and words that have TEXT in them. */
static void refuses(int status, const char *text)
{
	struct error err = { 0 };

	assert_null(modules_load("sqlite", &err));
	if (err.status != status || strstr(err.text, text) == NULL)
		fail_msg("%d %s", err.status, err.text);
}

static void what_is_not_there_names_its_package(void **state)
{
	(void)state;
	refuses(EX_UNAVAILABLE, "type \"sqlite\": ");
	refuses(EX_UNAVAILABLE, "is not there: install the package openrcpt-sqlite");
}

static void what_others_may_write_is_not_loaded(void **state)
{
	(void)state;
	put(0666);
	refuses(EX_NOPERM, "sqlite.so: others may write it (mode 0666)");
	put(0664);
	refuses(EX_NOPERM, "sqlite.so: its group may write it (mode 0664)");
	put(0644);
	assert_int_equal(chmod(folder, 0777), 0);
	refuses(EX_NOPERM, "others may write its directory (mode 0777)");
	assert_int_equal(chmod(folder, 0775), 0);
	refuses(EX_NOPERM, "its group may write its directory (mode 0775)");
}

static void what_is_no_object_is_not_loaded(void **state)
{
	struct buffer list;

	(void)state;
	put(0644);
	refuses(EX_UNAVAILABLE, "type \"sqlite\": ");
	buffer_init(&list, 10000);
	modules_list(&list);
	assert_non_null(list.data);
	assert_memory_equal(list.data, "sqlite: type \"sqlite\": ", 23);
	buffer_free(&list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_there_names_its_package),
		TEST(what_others_may_write_is_not_loaded),
		TEST(what_is_no_object_is_not_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
