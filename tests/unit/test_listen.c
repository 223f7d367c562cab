/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "milter/pulse.h"
#include "openrcptd/health.h"

struct fixture {
	char folder[64];
	char path[80];
	struct endpoint_address address;
	struct listener listener;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char text[128];
	struct error err;
	int given_fd;

	assert_non_null(fixture);
	(void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/test_listen.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/socket", fixture->folder);
	(void)snprintf(text, sizeof(text), "unix:%s", fixture->path);
	assert_true(listen_parse("socket", text, false, &fixture->address, &given_fd, &err));
	fixture->listener = LISTENER_NONE;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	listener_close(&fixture->listener);
	(void)snprintf(command, sizeof(command), "rm -r %s", fixture->folder);
	assert_int_equal(system(command), 0);
	free(fixture);
	return 0;
}

static int status_of_open(struct fixture *fixture)
{
	struct error err = { .status = EX_OK };

	if (!listener_open(&fixture->listener, &fixture->address, &err))
		assert_non_null(strstr(err.text, fixture->folder));
	return err.status;
}

/* ---- addresses ------------------------------------------------------------------------- */

static int status_of_parse(const char *text, bool allows_remote)
{
	struct endpoint_address address;
	struct error err = { .status = EX_OK };
	int given_fd;

	(void)listen_parse("socket", text, allows_remote, &address, &given_fd,
			   &err); /* the status tells */
	return err.status;
}

static void addresses_are_of_three_kinds(void **state)
{
	char path[200];

	(void)state;
	assert_int_equal(status_of_parse("unix:/run/x", false), EX_OK);
	assert_int_equal(status_of_parse("inet:8894@127.0.0.1", false), EX_OK);
	assert_int_equal(status_of_parse("inet:8894@localhost", false), EX_OK);
	assert_int_equal(status_of_parse("inet6:8894@::1", false), EX_OK);
	assert_int_equal(status_of_parse("unix:run/x", false), EX_CONFIG);
	assert_int_equal(status_of_parse("/run/x", false), EX_CONFIG);
	assert_int_equal(status_of_parse("inet:8894", false), EX_CONFIG);
	assert_int_equal(status_of_parse("inet:8894@", false), EX_CONFIG);
	assert_int_equal(status_of_parse("inet:@127.0.0.1", false), EX_CONFIG);
	(void)snprintf(path, sizeof(path), "unix:/%0105d", 0);
	assert_int_equal(status_of_parse(path, false), EX_OK);
	(void)snprintf(path, sizeof(path), "unix:/%0106d", 0);
	assert_int_equal(status_of_parse(path, false), EX_CONFIG);
}

static void the_world_has_to_be_let_in(void **state)
{
	(void)state;
	assert_int_equal(status_of_parse("inet:8894@0.0.0.0", false), EX_CONFIG);
	assert_int_equal(status_of_parse("inet:8894@192.0.2.1", false), EX_CONFIG);
	assert_int_equal(status_of_parse("inet6:8894@::", false), EX_CONFIG);
	assert_int_equal(status_of_parse("inet:8894@192.0.2.1", true), EX_OK);
	assert_int_equal(status_of_parse("inet:8894@127.1.2.3", false), EX_OK);
}

static void a_descriptor_that_nobody_gave_is_none(void **state)
{
	struct endpoint_address address;
	struct error err;
	int given_fd;

	(void)state;
	assert_false(listen_parse("socket", "fd:3", true, &address, &given_fd, &err));
	assert_int_equal(err.status, EX_CONFIG);
	assert_non_null(strstr(err.text, "socket: \"fd:3\": no such socket was handed over"));
}

/* ---- sockets --------------------------------------------------------------------------- */

static void a_socket_is_for_owner_and_group(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;

	assert_int_equal(status_of_open(fixture), EX_OK);
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode, S_IFSOCK | 0660);
	listener_close(&fixture->listener);
	assert_int_not_equal(access(fixture->path, F_OK), 0);
}

/* A child that is killed with its socket open leaves the file behind. */
static void leave_stale_socket(struct fixture *fixture)
{
	assert_int_equal(status_of_open(fixture), EX_OK);
	assert_int_equal(close(fixture->listener.fd), 0);
	fixture->listener = LISTENER_NONE;
}

static void a_stale_socket_is_removed(void **state)
{
	leave_stale_socket(*state);
	assert_int_equal(status_of_open(*state), EX_OK);
}

static void a_live_socket_is_not(void **state)
{
	struct fixture *fixture = *state;
	struct listener other = LISTENER_NONE;
	struct error err;

	assert_int_equal(status_of_open(fixture), EX_OK);
	assert_false(listener_open(&other, &fixture->address, &err));
	assert_int_equal(err.status, EX_TEMPFAIL);
	listener_close(&other);
	assert_true(listener_is_intact(&fixture->listener));
}

static void nothing_else_is_removed(void **state)
{
	struct fixture *fixture = *state;
	char other[128];

	assert_int_equal(close(open(fixture->path, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(status_of_open(fixture), EX_CANTCREAT);
	assert_int_equal(unlink(fixture->path), 0);
	listener_close(&fixture->listener);
	(void)snprintf(other, sizeof(other), "%s/other", fixture->folder);
	assert_int_equal(symlink(other, fixture->path), 0);
	assert_int_equal(status_of_open(fixture), EX_CANTCREAT);
	assert_int_equal(unlink(fixture->path), 0);
	listener_close(&fixture->listener);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	assert_int_equal(status_of_open(fixture), EX_CANTCREAT);
}

static void a_folder_for_everybody_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(chmod(fixture->folder, 0777), 0);
	assert_int_equal(status_of_open(fixture), EX_CONFIG);
	assert_int_equal(chmod(fixture->folder, 0755), 0);
}

static void a_socket_that_was_replaced_stays_at_the_end(void **state)
{
	struct fixture *fixture = *state;
	struct listener second = LISTENER_NONE;
	struct error err;

	assert_int_equal(status_of_open(fixture), EX_OK);
	assert_int_equal(unlink(fixture->path), 0);
	assert_false(listener_is_intact(&fixture->listener));
	assert_true(listener_open(&second, &fixture->address, &err));
	listener_close(&fixture->listener);
	assert_int_equal(access(fixture->path, F_OK), 0);
	listener_close(&second);
}

static void one_that_is_gone_is_renewed(void **state)
{
	struct fixture *fixture = *state;
	struct listener *listener = &fixture->listener;
	struct error err;

	assert_true(listener_open(listener, &fixture->address, &err));
	assert_int_equal(unlink(fixture->path), 0);
	assert_true(listener_renew(listener, &err));
	assert_true(listener_is_intact(listener));
	/* Where it can't be made, the old one stays. */
	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	assert_false(listener_renew(listener, &err));
	assert_true(listener->fd >= 0);
	assert_int_equal(rmdir(fixture->path), 0);
	assert_true(listener_renew(listener, &err));
	assert_true(listener_is_intact(listener));
}

static void a_lock_has_one_owner(void **state)
{
	struct fixture *fixture = *state;
	struct listener second = LISTENER_NONE;
	struct error err;

	assert_true(listener_lock(&fixture->listener, fixture->folder, "unix:/a", &err));
	assert_false(listener_lock(&second, fixture->folder, "unix:/a", &err));
	assert_int_equal(err.status, EX_TEMPFAIL);
	assert_int_equal(close(second.lock_fd), 0);
	/* Another socket has another lock. */
	assert_true(listener_lock(&second, fixture->folder, "unix:/b", &err));
	assert_int_equal(close(second.lock_fd), 0);
	assert_int_equal(close(fixture->listener.lock_fd), 0);
	assert_true(listener_lock(&fixture->listener, fixture->folder, "unix:/a", &err));
	assert_int_equal(close(fixture->listener.lock_fd), 0);
}

/* A process that listens, and one that it leaves behind with the socket; whose number that is. */
static pid_t leave_behind(struct fixture *fixture, bool has_lock)
{
	int pipe_ends[2];
	pid_t child;
	pid_t orphan = 0;
	struct error err;

	assert_int_equal(pipe(pipe_ends), 0);
	child = fork();
	if (child == 0) {
		if (has_lock && !listener_lock(&fixture->listener, fixture->folder, "a", &err))
			_exit(1);
		if (!listener_open(&fixture->listener, &fixture->address, &err))
			_exit(1);
		if (fork() != 0)
			_exit(0);
		/* Only now the lock is free. */
		(void)close(fixture->listener.lock_fd);
		orphan = getpid();
		if (write(pipe_ends[1], &orphan, sizeof(orphan)) != sizeof(orphan))
			_exit(1);
		(void)alarm(60);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(pipe_ends[0], &orphan, sizeof(orphan)), sizeof(orphan));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(close(pipe_ends[0]) + close(pipe_ends[1]), 0);
	return orphan;
}

static void only_who_had_the_lock_is_followed_while_its_socket_is_answered(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	pid_t orphan = leave_behind(fixture, true);

	assert_true(listener_lock(&fixture->listener, fixture->folder, "a", &err));
	assert_int_equal(status_of_open(fixture), EX_OK);
	assert_int_equal(kill(orphan, SIGKILL), 0);
	listener_close(&fixture->listener);
	/* This one is not the program that had the lock before us, though it is ours. */
	orphan = leave_behind(fixture, false);
	assert_int_equal(status_of_open(fixture), EX_TEMPFAIL);
	assert_int_equal(kill(orphan, SIGKILL), 0);
	assert_int_equal(close(fixture->listener.lock_fd), 0);
}

/* ---- health ---------------------------------------------------------------------------- */

/* One connection more in the queue of the socket; false: it is full. */
static bool fill_queue(const struct fixture *fixture)
{
	static int kept[8];
	static size_t count;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(count < sizeof(kept) / sizeof(kept[0]));
	kept[count++] = fd; /* to the end of the program */
	return connect(fd, &fixture->address.socket.any, fixture->address.size) == 0;
}

/* Times are made up: nothing here waits. */
static enum health_event look(struct fixture *fixture, struct health *health, bool is_readable,
			      long long now_ms)
{
	return health_work(health, &fixture->listener, is_readable, now_ms);
}

static void who_answers_is_well(void **state)
{
	static const unsigned char answer[17] = { 0, 0, 0, 13, 'O' };
	struct fixture *fixture = *state;
	struct health health;
	unsigned char question[32];
	int session;

	assert_int_equal(status_of_open(fixture), EX_OK);
	health_init(&health, 0);
	assert_int_equal(look(fixture, &health, false, HEALTH_INTERVAL_MS - 1), HEALTH_QUIET);
	assert_int_equal(health.fd, -1);
	assert_int_equal(look(fixture, &health, false, HEALTH_INTERVAL_MS), HEALTH_QUIET);
	assert_true(health.fd >= 0);
	session = accept(fixture->listener.fd, NULL, NULL);
	assert_int_equal(recv(session, question, sizeof(question), 0), 17);
	assert_memory_equal(question, "\0\0\0\15O\0\0\0\6", 9);
	assert_int_equal(send(session, answer, sizeof(answer), 0), sizeof(answer));
	assert_int_equal(look(fixture, &health, true, HEALTH_INTERVAL_MS + 1000), HEALTH_WELL);
	assert_int_equal(health.fd, -1);
	assert_int_equal(health.due_ms, 2 * HEALTH_INTERVAL_MS + 1000);
	assert_int_equal(close(session), 0);
}

static void who_misses_three_is_lost(void **state)
{
	struct fixture *fixture = *state;
	struct health health;
	long long now = 0;

	assert_int_equal(status_of_open(fixture), EX_OK);
	health_init(&health, now);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(look(fixture, &health, false, now += HEALTH_INTERVAL_MS),
				 HEALTH_QUIET);
		assert_true(health.fd >= 0);
		assert_int_equal(look(fixture, &health, false, now += HEALTH_INTERVAL_MS),
				 i < 3 ? HEALTH_QUIET : HEALTH_LOST);
	}
	health_close(&health);
}

/* A question that nobody answers is followed by the next one at once. */
static void who_hangs_is_lost_in_time(void **state)
{
	struct fixture *fixture = *state;
	enum health_event event = HEALTH_QUIET;
	struct health health;
	long long now = HEALTH_INTERVAL_MS;

	assert_int_equal(status_of_open(fixture), EX_OK);
	health_init(&health, 0);
	assert_int_equal(look(fixture, &health, false, now), HEALTH_QUIET);
	while (event == HEALTH_QUIET && now < 1000000) {
		assert_true(health.due_ms >= now);
		now = health.due_ms;
		event = look(fixture, &health, false, now);
	}
	assert_int_equal(event, HEALTH_LOST);
	assert_int_equal(now, (1 + HEALTH_MISSES) * HEALTH_INTERVAL_MS);
	/* Also where its last answer came just before the first question. */
	assert_true((2 + HEALTH_MISSES) * HEALTH_INTERVAL_MS < 10000);
	health_close(&health);
}

/* Who may not connect can't tell: others may, and be served. */
static void a_question_that_cannot_be_put_is_no_miss(void **state)
{
	struct fixture *fixture = *state;
	struct health health;
	long long now = 0;
	uid_t user = geteuid();

	assert_int_equal(status_of_open(fixture), EX_OK);
	assert_int_equal(chmod(fixture->folder, 0755), 0);
	assert_int_equal(chmod(fixture->path, 0), 0);
	if (user == 0)
		assert_int_equal(seteuid(65534), 0); /* root may connect anyway */
	health_init(&health, 0);
	for (int i = 1; i <= 2 * HEALTH_MISSES; i++) {
		assert_int_equal(look(fixture, &health, false, now += HEALTH_INTERVAL_MS),
				 HEALTH_BARRED);
		assert_int_equal(health.barred, i);
		assert_int_equal(health.misses, 0);
	}
	assert_int_equal(seteuid(user), 0);
	assert_int_equal(chmod(fixture->path, 0600), 0);
	assert_int_equal(look(fixture, &health, false, now += HEALTH_INTERVAL_MS), HEALTH_QUIET);
	assert_true(health.fd >= 0);
	assert_int_equal(health.barred, 0);
	health_close(&health);
}

static void who_hangs_up_missed(void **state)
{
	struct fixture *fixture = *state;
	struct health health;

	assert_int_equal(status_of_open(fixture), EX_OK);
	health_init(&health, 0);
	assert_int_equal(look(fixture, &health, false, HEALTH_INTERVAL_MS), HEALTH_QUIET);
	assert_int_equal(close(accept(fixture->listener.fd, NULL, NULL)), 0);
	assert_int_equal(look(fixture, &health, true, HEALTH_INTERVAL_MS + 1), HEALTH_QUIET);
	assert_int_equal(health.misses, 1);
	health_close(&health);
}

static void a_socket_that_is_gone_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	struct health health;

	assert_int_equal(status_of_open(fixture), EX_OK);
	assert_int_equal(unlink(fixture->path), 0);
	health_init(&health, 0);
	assert_int_equal(look(fixture, &health, false, HEALTH_INTERVAL_MS), HEALTH_NO_SOCKET);
	assert_int_equal(look(fixture, &health, false, 2 * HEALTH_INTERVAL_MS - 1), HEALTH_QUIET);
	health_close(&health);
}

/* The queue is full, or no descriptor is left: but others are answered, or turned away. */
static void who_answers_anybody_is_not_lost(void **state)
{
	struct fixture *fixture = *state;
	struct health health;
	long long now = 0;

	assert_int_equal(status_of_open(fixture), EX_OK);
	health_init(&health, now);
	for (int i = 0; i < 2 * HEALTH_MISSES; i++) {
		assert_int_equal(look(fixture, &health, false, now += HEALTH_INTERVAL_MS),
				 HEALTH_QUIET);
		pulse_beat();
		assert_int_equal(look(fixture, &health, false, now += HEALTH_INTERVAL_MS),
				 HEALTH_WELL);
	}
	/* A queue of none, which is full after one. */
	assert_int_equal(listen(fixture->listener.fd, 0), 0);
	while (fill_queue(fixture))
		;
	for (int i = 0; i < 2 * HEALTH_MISSES; i++) {
		pulse_beat();
		assert_int_equal(look(fixture, &health, false, now += HEALTH_INTERVAL_MS),
				 HEALTH_WELL);
	}
	for (int i = 1; i <= HEALTH_MISSES; i++)
		assert_int_equal(look(fixture, &health, false, now += HEALTH_INTERVAL_MS),
				 i < HEALTH_MISSES ? HEALTH_QUIET : HEALTH_LOST);
	health_close(&health);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_of_three_kinds),
		cmocka_unit_test(the_world_has_to_be_let_in),
		cmocka_unit_test(a_descriptor_that_nobody_gave_is_none),
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_socket_is_for_owner_and_group),
		TEST(a_stale_socket_is_removed),
		TEST(a_live_socket_is_not),
		TEST(nothing_else_is_removed),
		TEST(a_folder_for_everybody_is_refused),
		TEST(a_socket_that_was_replaced_stays_at_the_end),
		TEST(one_that_is_gone_is_renewed),
		TEST(a_lock_has_one_owner),
		TEST(only_who_had_the_lock_is_followed_while_its_socket_is_answered),
		TEST(who_answers_is_well),
		TEST(who_misses_three_is_lost),
		TEST(who_hangs_is_lost_in_time),
		TEST(a_question_that_cannot_be_put_is_no_miss),
		TEST(who_hangs_up_missed),
		TEST(who_answers_anybody_is_not_lost),
		TEST(a_socket_that_is_gone_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
