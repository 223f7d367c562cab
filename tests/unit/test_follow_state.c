/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of `rcptmap watch`: what is written is what is read, and who holds its lock. */
#include "scratch.h"

#include <sysexits.h>

#include "follow/follow_state.h"

static char path[PATH_MAX];
static struct error err;

static int begin(void **state)
{
	int result = scratch_begin(state);

	assert_true(follow_state_path(scratch_path("run/"), path, &err));
	return result;
}

static void the_folder_is_beside_the_daemons(void **state)
{
	(void)state;
	assert_string_equal(path, scratch_path("run-watch/state"));
	assert_true(follow_state_path("/run/openrcpt", path, &err));
	assert_string_equal(path, "/run/openrcpt-watch/state");
}

static void what_is_written_is_read(void **state)
{
	const struct follow_state written = {
		.table = "/var/lib/a table",
		.looked_ms = UINT64_MAX,
		.looked = 2,
		.files = 3,
		.compiling_since = 13,
		.attempts = 4,
		.failures = 5,
		.failing_since = 6,
		.status = 65,
		.compiled = 7,
		.took_ms = 8,
		.generation = 9,
		.copy_of = 14,
		.entries = 10,
		.domains = 11,
		.size_bytes = 12,
		.trouble = "virtual:3: two  words | and more",
	};
	struct follow_state read;
	int lock;

	(void)state;
	lock = follow_state_lock(path, &err);
	assert_true(lock >= 0);
	assert_true(follow_state_write(path, &written, &err));
	assert_true(follow_state_read(path, &read, &err));
	assert_string_equal(read.table, written.table);
	assert_string_equal(read.trouble, written.trouble);
	assert_int_equal(read.compiling_since, 13);
	/* From there to the last number: the order of the struct. */
	assert_int_equal(read.looked_ms, written.looked_ms);
	assert_int_equal(read.looked, 2);
	assert_int_equal(read.files, 3);
	assert_memory_equal(&read.attempts, &written.attempts,
			    offsetof(struct follow_state, trouble) -
				    offsetof(struct follow_state, attempts));
	assert_int_equal(close(lock), 0);
}

static void what_is_cut_is_refused(void **state)
{
	struct follow_state read;

	(void)state;
	assert_false(follow_state_read(path, &read, &err));
	assert_int_equal(err.status, EX_NOINPUT);
	assert_int_equal(mkdir(scratch_path("run-watch"), 0755), 0);
	scratch_put_bytes("run-watch/state", "generation 4\n", 13);
	assert_false(follow_state_read(path, &read, &err));
	assert_int_equal(err.status, EX_DATAERR);
	scratch_put_bytes("run-watch/state", "\nnovalue\ngeneration x\nend", 25);
	assert_true(follow_state_read(path, &read, &err));
	assert_int_equal(read.generation, 0);
}

static void one_holds_the_lock(void **state)
{
	int lock;

	(void)state;
	assert_false(follow_state_is_locked(path));
	lock = follow_state_lock(path, &err);
	assert_true(lock >= 0);
	assert_true(follow_state_is_locked(path));
	assert_int_equal(follow_state_lock(path, &err), -1);
	assert_int_equal(err.status, EX_TEMPFAIL);
	assert_int_equal(close(lock), 0);
	assert_false(follow_state_is_locked(path));
}

static void metrics_are_named_and_typed(void **state)
{
	const struct follow_state written = { .entries = 42 };
	char text[8192] = "";
	FILE *stream;

	(void)state;
	assert_true(follow_state_write_metrics(scratch_path("x.prom"), &written, &err));
	stream = fopen(scratch_path("x.prom"), "r");
	assert_non_null(stream);
	assert_true(fread(text, 1, sizeof(text) - 1, stream) > 0);
	assert_int_equal(fclose(stream), 0);
	assert_non_null(strstr(text, "# TYPE openrcpt_table_entries gauge\n"
				     "openrcpt_table_entries 42\n"));
	assert_non_null(strstr(text, "# TYPE openrcpt_watch_failures_total counter\n"));
	assert_null(strstr(text, "looked_ms"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_folder_is_beside_the_daemons), TEST(what_is_written_is_read),
		TEST(what_is_cut_is_refused),           TEST(one_holds_the_lock),
		TEST(metrics_are_named_and_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
