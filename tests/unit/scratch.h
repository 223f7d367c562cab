/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scratch - a folder of its own for each test, and files in it. It is gone at the test's end.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char scratch_folder[40];

static inline int scratch_begin(void **state)
{
	(void)state;
	strcpy(scratch_folder, "/tmp/openrcpt-unit.XXXXXX");
	return mkdtemp(scratch_folder) == NULL ? -1 : 0;
}

static inline int scratch_end(void **state)
{
	char command[sizeof(scratch_folder) + 16];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", scratch_folder);
	return system(command);
}

/* The path of NAME in the folder. The last eight results are good. */
static inline const char *scratch_path(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, PATH_MAX, "%s/%s", scratch_folder, name);
	return path;
}

/* Make the file NAME of DATA; where there is one it is written over in place. */
static inline void scratch_put_bytes(const char *name, const void *data, size_t size)
{
	FILE *stream = fopen(scratch_path(name), "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(data, 1, size, stream), size);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(scratch_path(name), 0640), 0);
}

static inline void scratch_put(const char *name, const char *text)
{
	scratch_put_bytes(name, text, strlen(text));
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_begin, scratch_end)

#endif
