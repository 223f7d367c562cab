/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/health.h"

#include <sys/socket.h>

#include "milter/pulse.h"
#include "scratch.h"

enum { BEGIN_MS = 1000, QUESTION_BYTES = 17 };

static struct listener listener;
static struct health health;
static long long now_ms;

static int begin(void **state)
{
	char text[80];
	struct listener parsed;
	struct error err;
	int given_fd;

	if (scratch_begin(state) != 0)
		return -1;
	(void)snprintf(text, sizeof(text), "unix:%s", scratch_path("socket"));
	listener = LISTENER_NONE;
	if (!listen_parse("socket", text, false, &parsed.address, &given_fd, &err) ||
	    !listener_open(&listener, &parsed.address, &err))
		return -1;
	now_ms = BEGIN_MS;
	health_init(&health, now_ms);
	return 0;
}

static int end(void **state)
{
	health_close(&health);
	listener_close(&listener);
	return scratch_end(state);
}

/* An interval later. */
static enum health_event later(void)
{
	now_ms += HEALTH_INTERVAL_MS;
	return health_work(&health, &listener, false, now_ms);
}

static enum health_event hears(void)
{
	return health_work(&health, &listener, true, now_ms);
}

/* The worker's end of the question that is open, with all of the question read. */
static int take_question(void)
{
	static const unsigned char wanted[QUESTION_BYTES] = { 0,    0, 0,    13,   'O', 0,
							      0,    0, 6,    0,    0,   0x01,
							      0xff, 0, 0x1f, 0xff, 0xff };
	unsigned char question[QUESTION_BYTES + 1];
	int fd = accept(listener.fd, NULL, NULL);

	assert_true(fd >= 0);
	assert_int_equal(recv(fd, question, sizeof(question), 0), QUESTION_BYTES);
	assert_memory_equal(question, wanted, QUESTION_BYTES);
	return fd;
}

static void answer(int fd, const void *data, size_t size)
{
	assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
}

static const unsigned char good_answer[QUESTION_BYTES] = { 0, 0, 0, 13, 'O', 0, 0, 0, 6 };

/* One question that is answered well. */
static void is_well(void)
{
	int fd;

	assert_int_equal(later(), HEALTH_QUIET);
	fd = take_question();
	answer(fd, good_answer, sizeof(good_answer));
	assert_int_equal(hears(), HEALTH_WELL);
	assert_int_equal(close(fd), 0);
}

static void the_first_question_comes_an_interval_later(void **state)
{
	(void)state;
	assert_int_equal(health_work(&health, &listener, false, now_ms), HEALTH_QUIET);
	assert_int_equal(health_work(&health, &listener, false, now_ms + HEALTH_INTERVAL_MS - 1),
			 HEALTH_QUIET);
	assert_int_equal(health.fd, -1);
	assert_int_equal(later(), HEALTH_QUIET);
	assert_true(health.fd >= 0);
}

static void an_answer_ends_the_session(void **state)
{
	static const unsigned char farewell[] = { 0, 0, 0, 1, 'Q' };
	unsigned char said[sizeof(farewell) + 1];
	int fd;

	(void)state;
	assert_int_equal(later(), HEALTH_QUIET);
	fd = take_question();
	answer(fd, good_answer, sizeof(good_answer));
	now_ms += 7;
	assert_int_equal(hears(), HEALTH_WELL);
	assert_int_equal(health.fd, -1);
	assert_int_equal(health.due_ms, now_ms + HEALTH_INTERVAL_MS);
	assert_int_equal(recv(fd, said, sizeof(said), MSG_WAITALL), sizeof(farewell));
	assert_memory_equal(said, farewell, sizeof(farewell));
	assert_int_equal(close(fd), 0);
}

static void silence_is_a_miss_only_when_time_is_up(void **state)
{
	(void)state;
	assert_int_equal(later(), HEALTH_QUIET);
	assert_int_equal(health_work(&health, &listener, false, now_ms + HEALTH_INTERVAL_MS - 1),
			 HEALTH_QUIET);
	assert_true(health.fd >= 0);
	assert_int_equal(health.misses, 0);
	assert_int_equal(later(), HEALTH_QUIET);
	assert_int_equal(health.fd, -1);
	assert_int_equal(health.misses, 1);
}

/* Each takes two intervals: one to the question, one to its time limit. */
static void three_misses_in_a_row_are_a_loss(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 1; i < HEALTH_MISSES; i++) {
			assert_int_equal(later(), HEALTH_QUIET);
			assert_int_equal(later(), HEALTH_QUIET);
			assert_int_equal(health.misses, i);
		}
		assert_int_equal(later(), HEALTH_QUIET);
		assert_int_equal(later(), HEALTH_LOST);
		assert_int_equal(health.misses, 0);
	}
}

static void an_answer_between_forgives(void **state)
{
	(void)state;
	for (int i = 1; i < HEALTH_MISSES; i++) {
		assert_int_equal(later(), HEALTH_QUIET);
		(void)close(take_question());
		assert_int_equal(hears(), HEALTH_QUIET);
	}
	assert_int_equal(health.misses, HEALTH_MISSES - 1);
	is_well();
	assert_int_equal(health.misses, 0);
}

static void what_is_no_answer_is_a_miss(void **state)
{
	static const unsigned char refusal[] = { 0, 0, 0, 1, 'r' };
	int fd;

	(void)state;
	is_well();
	assert_int_equal(later(), HEALTH_QUIET);
	fd = take_question();
	answer(fd, refusal, sizeof(refusal));
	assert_int_equal(hears(), HEALTH_QUIET);
	assert_int_equal(health.misses, 1);
	(void)close(fd);
	assert_int_equal(later(), HEALTH_QUIET);
	fd = take_question();
	/* The head of a packet, and not what kind it is. */
	answer(fd, good_answer, 4);
	assert_int_equal(hears(), HEALTH_QUIET);
	assert_int_equal(health.misses, 2);
	(void)close(fd);
}

/* Closed at once, so that nobody can have been answered between; but between two questions. */
static void who_answers_others_may_turn_us_away(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * HEALTH_MISSES; i++) {
		pulse_beat();
		assert_int_equal(later(), HEALTH_QUIET);
		(void)close(take_question());
		assert_int_equal(hears(), HEALTH_WELL);
		assert_int_equal(health.misses, 0);
	}
	assert_int_equal(later(), HEALTH_QUIET);
	(void)close(take_question());
	assert_int_equal(hears(), HEALTH_QUIET);
	assert_int_equal(health.misses, 1);
}

/* The file is there, and nobody listens. */
static void a_refused_connection_is_a_miss(void **state)
{
	(void)state;
	assert_int_equal(close(listener.fd), 0);
	listener.fd = -1;
	for (int i = 1; i < HEALTH_MISSES; i++)
		assert_int_equal(later(), HEALTH_QUIET);
	assert_int_equal(health.misses, HEALTH_MISSES - 1);
	assert_int_equal(later(), HEALTH_LOST);
	assert_int_equal(health.fd, -1);
}

static void a_lost_socket_file_is_said_each_time(void **state)
{
	(void)state;
	assert_int_equal(unlink(scratch_path("socket")), 0);
	assert_int_equal(later(), HEALTH_NO_SOCKET);
	assert_int_equal(health_work(&health, &listener, false, now_ms + HEALTH_INTERVAL_MS - 1),
			 HEALTH_QUIET);
	assert_int_equal(later(), HEALTH_NO_SOCKET);
	assert_int_equal(health.fd, -1);
	assert_int_equal(health.misses, 0);
}

static void another_worker_begins_anew(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(later(), HEALTH_QUIET);
	assert_int_equal(health.misses, 1);
	assert_true(health.fd >= 0);
	health_restart(&health, now_ms);
	assert_int_equal(health.misses, 0);
	assert_int_equal(health.fd, -1);
	assert_int_equal(health.due_ms, now_ms + HEALTH_INTERVAL_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_question_comes_an_interval_later),
		TEST(an_answer_ends_the_session),
		TEST(silence_is_a_miss_only_when_time_is_up),
		TEST(three_misses_in_a_row_are_a_loss),
		TEST(an_answer_between_forgives),
		TEST(what_is_no_answer_is_a_miss),
		TEST(who_answers_others_may_turn_us_away),
		TEST(a_refused_connection_is_a_miss),
		TEST(a_lost_socket_file_is_said_each_time),
		TEST(another_worker_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
