/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/reload.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "make_table.h"
#include "worker/settings_reader.h"
#include "message/counters.h"
#include "scratch.h"
#include "service/log.h"

static struct settings *started;
static struct snapshot_store store;
static struct reload reload;
static int stderr_before;

/* Settings that name the table NAME, and what else MORE says. */
static void configure(const char *name, const char *more)
{
	char text[500];

	(void)snprintf(text, sizeof(text), "origin = \"origin.test\";\ntable = \"%s\";\n%s",
		       scratch_path(name), more);
	scratch_put("conf", text);
}

static int begin(void **state)
{
	struct error err;

	if (scratch_begin(state) != 0)
		return -1;
	configure("table", "");
	install_table(scratch_path("table"), 1);
	started = settings_load(scratch_path("conf"), NULL, NULL, &err);
	if (started == NULL)
		return -1;
	snapshot_store_init(&store);
	reload_init(&reload, started, &store);
	/* What is logged goes to a file, to be looked at. */
	stderr_before = dup(STDERR_FILENO);
	log_open(LOG_SINK_STDERR, "test");
	scratch_put("log", "");
	return dup2(open(scratch_path("log"), O_RDWR | O_APPEND), STDERR_FILENO) < 0 ||
	       !reload_table(&reload, &err);
}

static int end(void **state)
{
	if (dup2(stderr_before, STDERR_FILENO) < 0 || close(stderr_before) != 0)
		return -1;
	reload_close(&reload);
	snapshot_store_clear(&store);
	settings_free(started);
	return scratch_end(state);
}

static uint64_t generation_in_use(void)
{
	return table_facts(store.current->table)->generation;
}

/* Take note of what was logged: does it say WORDS? */
static bool has_logged(const char *words)
{
	static char text[10000];
	ssize_t size = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);

	assert_true(size >= 0);
	text[size] = '\0';
	assert_int_equal(ftruncate(STDERR_FILENO, 0), 0);
	return strstr(text, words) != NULL;
}

/* As master and worker do it together. */
static int read_settings(void)
{
	struct settings_reader reader = SETTINGS_READER_NONE;
	struct error err;
	int status;

	assert_true(settings_reader_start(&reader, started, NULL, 0, &err));
	assert_int_equal(waitpid(reader.pid, &status, 0), reader.pid);
	if (settings_reader_end(&reader, status, started->file))
		return settings_reader_take(&reader);
	(void)settings_reader_cancel(&reader); /* whatever it has left */
	return -1;
}

static bool reload_settings(void)
{
	int fd = read_settings();
	bool is_done;

	if (fd < 0)
		return false;
	is_done = reload_all(&reload, fd);
	assert_int_equal(close(fd), 0);
	return is_done;
}

static void new_settings_bring_their_table(void **state)
{
	(void)state;
	install_table(scratch_path("other"), 9);
	configure("other", "unknown = { text = \"Nobody here\"; };\n");
	assert_int_equal(generation_in_use(), 1);
	assert_true(reload_settings());
	assert_int_equal(generation_in_use(), 9);
	assert_string_equal(reload.current->unknown_text, "Nobody here");
	/* And from now on theirs is the table that is looked at. */
	install_table(scratch_path("table"), 2);
	reload_if_replaced(&reload, 1);
	assert_int_equal(generation_in_use(), 9);
	install_table(scratch_path("other"), 10);
	reload_if_replaced(&reload, 2);
	assert_int_equal(generation_in_use(), 10);
}

static void settings_that_are_wrong_change_nothing(void **state)
{
	(void)state;
	install_table(scratch_path("other"), 9);
	configure("other", "no_such_setting = 1;\n");
	assert_false(reload_settings());
	assert_true(has_logged("settings and table stay as they were"));
	assert_null(reload.current);
	assert_int_equal(generation_in_use(), 1);
}

static void settings_without_a_table_change_nothing(void **state)
{
	(void)state;
	configure("none", "");
	assert_false(reload_settings());
	assert_true(has_logged("settings and table stay as they were"));
	assert_null(reload.current);
	assert_int_equal(generation_in_use(), 1);
	/* Nor is the other path looked at from now on. */
	install_table(scratch_path("table"), 2);
	reload_if_replaced(&reload, 1);
	assert_int_equal(generation_in_use(), 2);
}

static void what_needs_a_restart_is_said(void **state)
{
	(void)state;
	configure("table", "user = \"nobody\";\n");
	assert_true(reload_settings());
	assert_true(has_logged("user: needs a restart"));
	configure("table", "");
	assert_true(reload_settings());
	/* Compared with what was started, not with what was loaded last. */
	assert_false(has_logged("needs a restart"));
}

static bool needs_another(void)
{
	int fd = read_settings();
	bool result = reload_needs_another(&reload, fd);

	assert_int_equal(close(fd), 0);
	return result;
}

static void some_settings_need_a_worker_of_their_own(void **state)
{
	(void)state;
	configure("other", "unknown = { text = \"Nobody here\"; };\n");
	assert_false(needs_another());
	configure("table", "max_sessions = 7;\n");
	assert_true(needs_another());
	configure("table", "idle_timeout_seconds = 61;\n");
	assert_true(needs_another());
	/* Without a sandbox this one may read there as well. */
	configure("folder/table", "");
	assert_false(needs_another());
	configure("table", "no_such_setting = 1;\n");
	assert_int_equal(read_settings(), -1);
}

static void who_has_retired_loads_and_says_nothing(void **state)
{
	(void)state;
	reload_retire(&reload);
	counter_set(COUNTER_TABLE_GENERATION, 77);
	(void)has_logged("");
	install_table(scratch_path("table"), 2);
	reload_if_replaced(&reload, 1);
	assert_int_equal(generation_in_use(), 2);
	assert_int_equal(reload_take_copy(&reload), -1);
	scratch_put("table", "written over");
	reload_if_replaced(&reload, 2);
	assert_int_equal(generation_in_use(), 2);
	assert_int_equal(counter_get(COUNTER_TABLE_GENERATION), 77);
	assert_false(has_logged("table"));
}

static void a_table_of_other_rules_is_told(void **state)
{
	(void)state;
	assert_false(has_logged("compiled with another value"));
	configure("table", "recipient_delimiter = \"-\";\npropagate_extension = false;\n"
			   "append_dot_domain = \"dot.test\";\n");
	assert_true(reload_settings());
	assert_true(has_logged("recipient_delimiter: the table was compiled with another value"));
	assert_true(reload_settings());
	assert_true(has_logged("propagate_extension: the table was compiled with another value"));
	assert_true(reload_settings());
	assert_true(has_logged("append_dot_domain: the table was compiled with another value"));
}

static void a_table_that_is_replaced_is_loaded_once(void **state)
{
	(void)state;
	reload_if_replaced(&reload, 1);
	assert_false(has_logged("generation=2"));
	install_table(scratch_path("table"), 2);
	reload_if_replaced(&reload, 2);
	assert_int_equal(generation_in_use(), 2);
	assert_true(has_logged("loaded: generation=2"));
	reload_if_replaced(&reload, 3);
	assert_false(has_logged("loaded"));
}

static void a_table_that_is_no_table_is_left(void **state)
{
	(void)state;
	scratch_put("new", "no table at all");
	assert_int_equal(rename(scratch_path("new"), scratch_path("table")), 0);
	reload_if_replaced(&reload, 1);
	assert_true(has_logged("the table in use stays"));
	assert_int_equal(generation_in_use(), 1);
	/* It stays bad: said once, and never tried again. */
	reload_if_replaced(&reload, 1 + 2 * WATCH_RETRY_SECONDS);
	assert_false(has_logged("the table in use stays"));
	install_table(scratch_path("table"), 3);
	reload_if_replaced(&reload, 2 + 2 * WATCH_RETRY_SECONDS);
	assert_int_equal(generation_in_use(), 3);
}

static void a_table_changed_in_place_is_left(void **state)
{
	(void)state;
	scratch_put("table", "written over");
	reload_if_replaced(&reload, 1);
	assert_true(has_logged("changed in place, ignoring"));
	assert_int_equal(generation_in_use(), 1);
}

static void a_mapped_table_that_is_written_is_told_of_once(void **state)
{
	(void)state;
	configure("table", "load = \"mapped\";\n");
	assert_true(reload_settings());
	reload_if_replaced(&reload, 1);
	assert_false(has_logged("is mapped"));
	scratch_put("table", "written over");
	reload_if_replaced(&reload, 2);
	assert_true(has_logged("written while it is mapped"));
	reload_if_replaced(&reload, 3);
	assert_false(has_logged("is mapped"));
	install_table(scratch_path("table"), 4);
	reload_if_replaced(&reload, 4);
	assert_int_equal(generation_in_use(), 4);
	assert_false(has_logged("is mapped"));
}

static void a_table_that_is_gone_stays_in_use(void **state)
{
	(void)state;
	assert_int_equal(unlink(scratch_path("table")), 0);
	reload_if_replaced(&reload, 1);
	assert_true(has_logged("missing; the table in use stays"));
	assert_int_equal(generation_in_use(), 1);
	install_table(scratch_path("table"), 4);
	reload_if_replaced(&reload, 2);
	assert_int_equal(generation_in_use(), 4);
}

/* ---- copies ------------------------------------------------------------------------------ */

/* As a worker begins that follows the one before it. */
static void begin_anew(int copy_fd)
{
	reload_close(&reload);
	snapshot_store_clear(&store);
	snapshot_store_init(&store);
	reload_init(&reload, started, &store);
	reload_table_or_copy(&reload, copy_fd);
}

static void a_copy_is_made_once_and_serves_without_the_file(void **state)
{
	int copy_fd = reload_take_copy(&reload);

	(void)state;
	assert_true(copy_fd >= 0);
	assert_int_equal(reload_take_copy(&reload), -1);
	assert_int_equal(write(copy_fd, "x", 1), -1);
	assert_int_equal(unlink(scratch_path("table")), 0);
	begin_anew(copy_fd);
	assert_int_equal(generation_in_use(), 1);
	assert_true(has_logged("it is a copy that the master had kept"));
	assert_int_equal(reload_take_copy(&reload), -1);
	/* Again each hour, and the table that comes back is taken at once. */
	reload_if_replaced(&reload, 10);
	assert_false(has_logged("copy"));
	reload_if_replaced(&reload, 10 + RELOAD_SAY_AGAIN_SECONDS);
	assert_true(has_logged("copy"));
	install_table(scratch_path("table"), 5);
	reload_if_replaced(&reload, 11 + RELOAD_SAY_AGAIN_SECONDS);
	assert_int_equal(generation_in_use(), 5);
	assert_int_equal(close(copy_fd), 0);
}

static void a_file_that_is_good_comes_before_the_copy(void **state)
{
	int copy_fd = reload_take_copy(&reload);
	int newer_fd;

	(void)state;
	begin_anew(copy_fd);
	assert_false(has_logged("copy"));
	assert_int_equal(reload_take_copy(&reload), -1); /* the master has it */
	install_table(scratch_path("table"), 6);
	begin_anew(copy_fd);
	assert_int_equal(generation_in_use(), 6);
	newer_fd = reload_take_copy(&reload);
	assert_true(newer_fd >= 0);
	assert_int_equal(close(copy_fd), 0);
	assert_int_equal(close(newer_fd), 0);
}

static void without_any_table_there_is_none_until_one_comes(void **state)
{
	(void)state;
	assert_int_equal(unlink(scratch_path("table")), 0);
	begin_anew(-1);
	assert_null(store.current);
	assert_true(has_logged("there is no table: all mail is deferred"));
	install_table(scratch_path("table"), 7);
	reload_if_replaced(&reload, 1);
	assert_int_equal(generation_in_use(), 7);
}

static void a_file_that_could_not_be_read_again_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(chmod(scratch_path("table"), 0666), 0);
	reload_if_replaced(&reload, 1);
	assert_true(has_logged("others may write it (mode 0666): the table in use stays"));
	reload_if_replaced(&reload, 2);
	assert_false(has_logged("stays"));
	assert_int_equal(chmod(scratch_path("table"), 0644), 0);
	reload_if_replaced(&reload, 3);
	assert_true(has_logged("can be read again"));
	assert_int_equal(link(scratch_path("table"), scratch_path("second")), 0);
	reload_if_replaced(&reload, 4);
	assert_true(has_logged("has 2 names: the table in use stays"));
	assert_int_equal(generation_in_use(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_settings_bring_their_table),
		TEST(settings_that_are_wrong_change_nothing),
		TEST(settings_without_a_table_change_nothing),
		TEST(what_needs_a_restart_is_said),
		TEST(some_settings_need_a_worker_of_their_own),
		TEST(who_has_retired_loads_and_says_nothing),
		TEST(a_table_of_other_rules_is_told),
		TEST(a_table_that_is_replaced_is_loaded_once),
		TEST(a_table_that_is_no_table_is_left),
		TEST(a_table_changed_in_place_is_left),
		TEST(a_mapped_table_that_is_written_is_told_of_once),
		TEST(a_table_that_is_gone_stays_in_use),
		TEST(a_copy_is_made_once_and_serves_without_the_file),
		TEST(a_file_that_is_good_comes_before_the_copy),
		TEST(without_any_table_there_is_none_until_one_comes),
		TEST(a_file_that_could_not_be_read_again_is_told_once),
	};

	/* What a master has given up, its children prove to have given up. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
