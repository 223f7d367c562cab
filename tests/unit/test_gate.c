/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/gate.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>

#include "milter/pulse.h"
#include "scratch.h"
#include "service/log.h"
#include "under_valgrind.h"

static int listener;
static struct error err;
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static int begin(void **state)
{
	if (scratch_begin(state) != 0)
		return -1;
	log_open(LOG_SINK_STDERR, "test");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("socket"));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return listen(listener, 100);
}

static int end(void **state)
{
	return close(listener) | scratch_end(state);
}

/* A new end of the socket; -1: refused. */
static int knock(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(close(fd), 0);
	return -1;
}

static void the_last_descriptors_are_for_no_session(void **state)
{
	const struct rlimit few = { 64, 64 };
	uint64_t pulse = pulse_count();
	int taken = 0;
	int opened[64];
	int count = 0;
	int last_end;
	char byte;

	(void)state;
	if (under_valgrind())
		skip(); /* its limits are its own */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_true(gate_open(listener, &err));
	for (;;) {
		int end = knock();
		int session = gate_accept(listener, NULL, NULL);

		opened[count++] = last_end = end;
		if (session < 0)
			break;
		assert_true(session < 64 - GATE_RESERVED);
		opened[count++] = session;
		taken++;
	}
	assert_int_equal(errno, ECONNABORTED);
	assert_true(taken > 5);
	assert_int_equal(recv(last_end, &byte, 1, 0), 0); /* it was told so */
	assert_true(pulse_count() > pulse);
	while (count > 0)
		assert_int_equal(close(opened[--count]), 0);
}

static int poll_kernel(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
	return poll(descriptors, count, timeout_ms);
}

/* ---- another socket behind the same number ---------------------------------------------- */

/* One that nobody knows, as libmilter's. */
static int stand_in(void)
{
	struct sockaddr_un nowhere = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&nowhere, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void *exchange_soon(void *context)
{
	const struct timespec moment = { .tv_nsec = 50000000 };

	(void)nanosleep(&moment, NULL);
	assert_true(gate_exchange(*(int *)context, NULL));
	return NULL;
}

static void who_waits_sees_the_other_socket_at_once(void **state)
{
	int number = stand_in();
	struct pollfd wait = { .fd = number, .events = POLLIN };
	pthread_t thread;
	int end;

	(void)state;
	assert_true(gate_open(number, &err));
	assert_true(gate_is(&wait, 1));
	end = knock();
	assert_int_equal(pthread_create(&thread, NULL, exchange_soon, &listener), 0);
	/* Without end: a wait on the stand-in alone would never come back. */
	assert_int_equal(gate_poll(poll_kernel, &wait, -1), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(gate_poll(poll_kernel, &wait, -1), 1);
	assert_true(gate_accept(number, NULL, NULL) >= 0);
	assert_int_equal(close(end), 0);
	assert_int_equal(close(number), 0);
}

static void who_has_left_takes_nobody(void **state)
{
	int number = dup(listener);
	int nobodys = stand_in();
	struct pollfd wait = { .fd = number, .events = POLLIN };
	int end;

	(void)state;
	assert_true(gate_open(number, &err));
	assert_true(gate_exchange(nobodys, &err));
	end = knock();
	assert_int_equal(gate_poll(poll_kernel, &wait, 0), 0); /* it was exchanged */
	assert_int_equal(gate_poll(poll_kernel, &wait, 0), 0);
	assert_int_equal(gate_accept(number, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	wait.fd = listener; /* for the other one it is there */
	assert_int_equal(poll(&wait, 1, 0), 1);
	assert_int_equal(close(end) | close(number) | close(nobodys), 0);
}

static void open_sessions_are_counted_by_what_they_are(void **state)
{
	int ends[2];
	int sessions[2];

	(void)state;
	assert_true(gate_open(listener, &err));
	assert_int_equal(gate_sessions(), 0);
	for (int i = 0; i < 2; i++) {
		ends[i] = knock();
		sessions[i] = gate_accept(listener, NULL, NULL);
		assert_true(sessions[i] >= 0);
	}
	assert_int_equal(gate_sessions(), 2);
	assert_int_equal(close(sessions[0]), 0);
	assert_int_equal(gate_sessions(), 1);
	assert_int_equal(dup2(ends[0], sessions[0]), sessions[0]); /* another socket, its number */
	assert_int_equal(gate_sessions(), 1);
	assert_int_equal(close(sessions[0]) | close(sessions[1]), 0);
	assert_int_equal(gate_sessions(), 0);
	assert_int_equal(close(ends[0]) | close(ends[1]), 0);
}

static void a_gate_that_is_shut_refuses_and_says_nothing(void **state)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	(void)state;
	assert_true(gate_open(listener, &err));
	assert_int_equal(gate_poll(poll_kernel, &wait, 0), 0);
	gate_shut();
	assert_int_equal(knock(), -1);
	assert_int_equal(poll(&wait, 1, 0), 1);
	assert_int_equal(gate_poll(poll_kernel, &wait, 0), 0);
	assert_int_equal(wait.revents, 0);
	assert_int_equal(gate_accept(listener, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	/* One fills the table of descriptors, and a gate that is shut stays so. */
	const struct CMUnitTest tests[] = {
		TEST(who_waits_sees_the_other_socket_at_once),
		TEST(who_has_left_takes_nobody),
		TEST(open_sessions_are_counted_by_what_they_are),
		TEST(a_gate_that_is_shut_refuses_and_says_nothing),
	};
	const struct CMUnitTest with_few_descriptors[] = {
		TEST(the_last_descriptors_are_for_no_session),
	};

	if (cmocka_run_group_tests(with_few_descriptors, NULL, NULL) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
