/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/notify.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "scratch.h"

static int manager = -1;

/* Listen as a service manager does: at a path, or at a name where NAME begins with `@`. */
static void listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = strlen(name);

	assert_true(size < sizeof(address.sun_path));
	memcpy(address.sun_path, name, size);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
			 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static int end(void **state)
{
	if (manager >= 0)
		(void)close(manager);
	manager = -1;
	(void)unsetenv("NOTIFY_SOCKET");
	return scratch_end(state);
}

/* The next datagram; "" where there is none. */
static const char *heard(void)
{
	static char text[200];
	ssize_t size = recv(manager, text, sizeof(text) - 1, 0);

	assert_true(size >= 0 || errno == EAGAIN);
	text[size < 0 ? 0 : size] = '\0';
	return text;
}

static void each_state_has_its_datagram(void **state)
{
	(void)state;
	listen_at(scratch_path("notify"));
	notify_ready();
	notify_alive();
	notify_stopping();
	assert_string_equal(heard(), "READY=1");
	assert_string_equal(heard(), "WATCHDOG=1");
	assert_string_equal(heard(), "STOPPING=1");
	assert_string_equal(heard(), "");
}

static long long microseconds(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void a_reload_says_when_it_began(void **state)
{
	long long before = microseconds();
	const char *text;
	long long said;

	(void)state;
	listen_at(scratch_path("notify"));
	notify_reloading();
	text = heard();
	assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%lld", &said), 1);
	assert_true(said >= before && said <= microseconds());
}

static void a_name_without_a_file_is_reached(void **state)
{
	char name[60];

	(void)state;
	(void)snprintf(name, sizeof(name), "@%s", scratch_folder);
	listen_at(name);
	notify_ready();
	assert_string_equal(heard(), "READY=1");
}

static void the_longest_path_is_reached_and_a_longer_one_is_left(void **state)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	size_t longest = sizeof(path) - 2;

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path, scratch_folder, strlen(scratch_folder));
	path[strlen(scratch_folder)] = '/';
	path[longest + 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	notify_ready();
	path[longest] = '\0';
	listen_at(path);
	notify_ready();
	assert_string_equal(heard(), "READY=1");
	assert_string_equal(heard(), "");
}

static void nobody_to_tell_is_no_trouble(void **state)
{
	static const char *const values[] = { "", "relative", "/nowhere/at/all", "@nobody-here" };

	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	notify_ready();
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", values[i], 1), 0);
		notify_ready();
		notify_reloading();
	}
}

/* A manager that reads nothing: more than its queue holds must not make us wait. */
static void who_never_reads_holds_nobody_up(void **state)
{
	(void)state;
	listen_at(scratch_path("notify"));
	for (int i = 0; i < 5000; i++)
		notify_alive();
	assert_string_equal(heard(), "WATCHDOG=1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_state_has_its_datagram),
		TEST(a_reload_says_when_it_began),
		TEST(a_name_without_a_file_is_reached),
		TEST(the_longest_path_is_reached_and_a_longer_one_is_left),
		TEST(nobody_to_tell_is_no_trouble),
		TEST(who_never_reads_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
