/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/given.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"
#include "service/listen.h"

/* Descriptors 3 and on: a socket of a file, one of a port, a pipe, one that doesn't listen. */
enum { FILE_FD = 3, PORT_FD, PIPE_FD, DEAF_FD, BEHIND_FD };

static struct error err;

static void put(int fd, int wanted)
{
	assert_true(fd >= 0);
	if (fd != wanted) {
		assert_int_equal(dup2(fd, wanted), wanted);
		assert_int_equal(close(fd), 0);
	}
}

static int port_socket(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int file_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static int begin(void **state)
{
	int ends[2];

	if (scratch_begin(state) != 0)
		return -1;
	for (int fd = FILE_FD; fd <= BEHIND_FD; fd++)
		(void)close(fd); /* most are not open */
	put(file_socket(), FILE_FD);
	put(port_socket(), PORT_FD);
	if (pipe(ends) != 0 || close(ends[1]) != 0)
		return -1;
	put(ends[0], PIPE_FD);
	put(port_socket(), DEAF_FD);
	return listen(FILE_FD, 1) | listen(PORT_FD, 1);
}

static int end(void **state)
{
	for (int fd = FILE_FD; fd <= DEAF_FD; fd++)
		(void)close(fd); /* was never written */
	return scratch_end(state);
}

static void give(const char *count, long pid, const char *names)
{
	char number[32];

	(void)snprintf(number, sizeof(number), "%ld", pid);
	assert_int_equal(setenv("LISTEN_FDS", count, 1) | setenv("LISTEN_PID", number, 1), 0);
	assert_int_equal(
		names == NULL ? unsetenv("LISTEN_FDNAMES") : setenv("LISTEN_FDNAMES", names, 1), 0);
	given_init();
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDNAMES"));
}

/* The descriptor; -1: none, with ERR. */
static int found(const char *text, char *out_address, size_t room)
{
	struct endpoint_address address;
	struct endpoint endpoint;
	int fd;

	assert_true(endpoint_parse(text, &endpoint, &err));
	if (!given_find(&endpoint, &fd, &address, &err)) {
		assert_int_equal(err.status, EX_CONFIG);
		return -1;
	}
	assert_true(endpoint_address_print(&address, out_address, room));
	return fd;
}

static void assert_none(const char *text, const char *words)
{
	char address[200];

	assert_int_equal(found(text, address, sizeof(address)), -1);
	if (strstr(err.text, words) == NULL)
		fail_msg("%s", err.text);
}

static void they_are_found_by_number_and_name(void **state)
{
	char address[200];
	char expected[300];

	(void)state;
	give("2", (long)getpid(), "milter:metrics");
	(void)snprintf(expected, sizeof(expected), "unix:%s", scratch_path("socket"));
	assert_int_equal(found("fd:3", address, sizeof(address)), FILE_FD);
	assert_string_equal(address, expected);
	assert_int_equal(found("fd:milter", address, sizeof(address)), FILE_FD);
	assert_int_equal(found("fd:metrics", address, sizeof(address)), PORT_FD);
	assert_memory_equal(address, "inet:", 5);
	assert_int_equal(fcntl(FILE_FD, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(FILE_FD, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

static void what_was_not_given_is_not_found(void **state)
{
	(void)state;
	give("1", (long)getpid(), "milter:metrics");
	assert_none("fd:4", "no such socket was handed over");
	assert_none("fd:metrics", "no such socket was handed over");
	assert_none("fd:milte", "no such socket was handed over");
	give("2", (long)getpid() + 1, "milter:metrics"); /* for somebody else */
	assert_none("fd:3", "no such socket was handed over");
	give("x", (long)getpid(), NULL);
	assert_none("fd:3", "no such socket was handed over");
	give("-1", (long)getpid(), NULL);
	assert_none("fd:3", "no such socket was handed over");
	give("2", (long)getpid(), "same:same");
	assert_none("fd:same", "several sockets called same");
	give("2", (long)getpid(), NULL);
	assert_none("fd:milter", "no such socket was handed over");
}

static void what_does_not_listen_is_refused(void **state)
{
	(void)state;
	give("5", (long)getpid(), NULL);
	assert_none("fd:5", "descriptor 5 is no stream socket that listens");
	assert_none("fd:6", "descriptor 6 is no stream socket that listens");
	assert_none("fd:7", "descriptor 7 is no stream socket that listens"); /* closed */
}

static void one_without_a_path_is_refused(void **state)
{
	struct sockaddr_un abstract = { .sun_family = AF_UNIX };

	(void)state;
	put(socket(AF_UNIX, SOCK_STREAM, 0), FILE_FD);
	assert_int_equal(bind(FILE_FD, (struct sockaddr *)&abstract, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(FILE_FD, 1), 0);
	give("1", (long)getpid(), NULL);
	assert_none("fd:3", "descriptor 3 has no path, and no port");
}

static void its_file_is_not_removed(void **state)
{
	struct listener listener = LISTENER_NONE;
	struct endpoint_address address;
	int fd;

	(void)state;
	give("1", (long)getpid(), "milter");
	assert_true(listen_parse("socket", "fd:milter", false, &address, &fd, &err));
	assert_true(listener_take(&listener, &address, fd, &err));
	assert_int_equal(listener.fd, FILE_FD);
	assert_true(listener_is_intact(&listener));
	listener_close(&listener);
	assert_int_equal(access(scratch_path("socket"), F_OK), 0);
	assert_int_equal(unlink(scratch_path("socket")), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(they_are_found_by_number_and_name), TEST(what_was_not_given_is_not_found),
		TEST(what_does_not_listen_is_refused),   TEST(one_without_a_path_is_refused),
		TEST(its_file_is_not_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
