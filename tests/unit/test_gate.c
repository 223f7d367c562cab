/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/gate.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "milter/pulse.h"
#include "scratch.h"
#include "service/log.h"
#include "under_valgrind.h"

static int listener;
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static int begin(void **state)
{
	if (scratch_begin(state) != 0)
		return -1;
	log_open(LOG_SINK_STDERR, "test");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("socket"));
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
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
	int last_end;
	char byte;

	(void)state;
	if (under_valgrind())
		skip(); /* its limits are its own */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	gate_open(listener);
	for (;;) {
		int end = knock();
		int session = gate_accept(listener, NULL, NULL);

		last_end = end;
		if (session < 0)
			break;
		assert_true(session < 64 - GATE_RESERVED);
		taken++;
	}
	assert_int_equal(errno, ECONNABORTED);
	assert_true(taken > 5);
	assert_int_equal(recv(last_end, &byte, 1, 0), 0); /* it was told so */
	assert_true(pulse_count() > pulse);
}

static void a_gate_that_is_shut_refuses_and_says_nothing(void **state)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	(void)state;
	gate_open(listener);
	assert_int_equal(gate_polled(&wait, poll(&wait, 1, 0)), 0);
	gate_shut();
	assert_int_equal(knock(), -1);
	assert_int_equal(poll(&wait, 1, 0), 1);
	assert_int_equal(gate_polled(&wait, 1), 0);
	assert_int_equal(wait.revents, 0);
	assert_int_equal(gate_accept(listener, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	/* One fills the table of descriptors, and a gate that is shut stays so. */
	const struct CMUnitTest tests[] = {
		TEST(a_gate_that_is_shut_refuses_and_says_nothing),
	};
	const struct CMUnitTest with_few_descriptors[] = {
		TEST(the_last_descriptors_are_for_no_session),
	};

	if (cmocka_run_group_tests(with_few_descriptors, NULL, NULL) != 0)
		return 1;
	for (int fd = 3; fd < 64; fd++)
		(void)close(fd); /* of the sessions */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
