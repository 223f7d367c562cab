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
		.age_limit = 15,
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
	const struct follow_state written = { .entries = 42, .took_ms = 61007 };
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
	assert_non_null(strstr(text, "\nopenrcpt_watch_success_duration_seconds 61.007\n"));
	assert_null(strstr(text, "looked_ms"));
}

static void sources_are_written_and_read(void **state)
{
	const struct follow_state written = {
		.sources = { { .name = "postgresql:main", .confirmed = 7, .is_up = true },
			     { .name = "sqlite:a\\\"b",
			       .away_since = 9,
			       .reason = "two words, and more" } },
		.source_count = 2,
	};
	struct follow_state read;
	char text[8192] = "";
	FILE *stream;
	int lock;

	(void)state;
	lock = follow_state_lock(path, &err);
	assert_true(follow_state_write(path, &written, &err));
	assert_true(follow_state_read(path, &read, &err));
	assert_int_equal(read.source_count, 2);
	assert_string_equal(read.sources[0].name, "postgresql:main");
	assert_true(read.sources[0].is_up);
	assert_int_equal(read.sources[0].confirmed, 7);
	assert_string_equal(read.sources[0].reason, "");
	assert_string_equal(read.sources[1].name, written.sources[1].name);
	assert_false(read.sources[1].is_up);
	assert_int_equal(read.sources[1].away_since, 9);
	assert_string_equal(read.sources[1].reason, "two words, and more");
	assert_ptr_equal(follow_state_oldest(&read), &read.sources[1]);
	assert_int_equal(close(lock), 0);
	assert_true(follow_state_write_metrics(scratch_path("x.prom"), &written, &err));
	stream = fopen(scratch_path("x.prom"), "r");
	assert_non_null(stream);
	assert_true(fread(text, 1, sizeof(text) - 1, stream) > 0);
	assert_int_equal(fclose(stream), 0);
	assert_non_null(strstr(text, "# TYPE openrcpt_watch_source_up gauge\n"
				     "openrcpt_watch_source_up{source=\"postgresql:main\"} 1\n"
				     "openrcpt_watch_source_up{source=\"sqlite:a\\\\\\\"b\"} 0\n"));
	assert_non_null(strstr(
		text, "\nopenrcpt_watch_source_confirmed_timestamp_seconds{source=\"postgresql:main"
		      "\"} 7\n"));
}

static void sources_that_make_no_sense_are_left_out(void **state)
{
	static const char text[] = "source\nsource 1\nsource 1 2 3\nsource 1 2 3 name\n"
				   "source x 2 3 a b\nsource 1 2 3 good \nend\n";
	struct follow_state read;

	(void)state;
	assert_int_equal(mkdir(scratch_path("run-watch"), 0755), 0);
	scratch_put_bytes("run-watch/state", text, sizeof(text) - 1);
	assert_true(follow_state_read(path, &read, &err));
	assert_int_equal(read.source_count, 1);
	assert_string_equal(read.sources[0].name, "good");
	read.source_count = 0;
	assert_null(follow_state_oldest(&read));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_folder_is_beside_the_daemons),
		TEST(what_is_written_is_read),
		TEST(what_is_cut_is_refused),
		TEST(one_holds_the_lock),
		TEST(metrics_are_named_and_typed),
		TEST(sources_are_written_and_read),
		TEST(sources_that_make_no_sense_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
