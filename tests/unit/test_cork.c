/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/cork.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { NEAR, FAR };

struct pair {
	int ends[2];
};

static int setup(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	*state = pair;
	return pair == NULL ? -1 : socketpair(AF_UNIX, SOCK_STREAM, 0, pair->ends);
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	(void)close(pair->ends[NEAR]);
	(void)close(pair->ends[FAR]); /* may be closed already */
	free(pair);
	return 0;
}

/* TEXT in two pieces, as libmilter writes head and data. */
static ssize_t write_text(const struct pair *pair, const char *text)
{
	char *data = (char *)(uintptr_t)text;
	size_t half = strlen(text) / 2;
	const struct iovec pieces[] = {
		{ .iov_base = data, .iov_len = half },
		{ .iov_base = data + half, .iov_len = strlen(text) - half },
	};

	return cork_write(pair->ends[NEAR], pieces, 2);
}

static const char *read_text(const struct pair *pair)
{
	static char text[256];
	ssize_t size = recv(pair->ends[FAR], text, sizeof(text) - 1, MSG_DONTWAIT);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void all_goes_out_with_the_write_behind_the_end(void **state)
{
	const struct pair *pair = *state;

	for (int round = 0; round < 2; round++) {
		assert_false(cork_is_open());
		cork_begin();
		assert_true(cork_is_open());
		assert_int_equal(write_text(pair, "one,"), 4);
		assert_int_equal(write_text(pair, "two,"), 4);
		cork_end();
		assert_string_equal(read_text(pair), "");
		assert_true(cork_is_open());
		assert_int_equal(write_text(pair, "reply"), 5);
		assert_string_equal(read_text(pair), "one,two,reply");
	}
	assert_false(cork_is_open());
}

static void without_edits_it_is_the_reply_alone(void **state)
{
	cork_begin();
	cork_end();
	assert_int_equal(write_text(*state, "reply"), 5);
	assert_string_equal(read_text(*state), "reply");
	assert_false(cork_is_open());
}

static void what_is_dropped_never_goes_out(void **state)
{
	cork_begin();
	assert_int_equal(write_text(*state, "one,"), 4);
	cork_drop();
	assert_false(cork_is_open());
	cork_begin();
	cork_end();
	assert_int_equal(write_text(*state, "reply"), 5);
	assert_string_equal(read_text(*state), "reply");
}

/* ---- who asks how it ended ---------------------------------------------------------------- */

struct heard {
	int times;
	bool is_sent;
	bool was_open;
};

static void hear(bool is_sent, void *context)
{
	struct heard *heard = context;

	heard->times++;
	heard->is_sent = is_sent;
	heard->was_open = cork_is_open();
}

static void who_watches_hears_of_the_reply(void **state)
{
	struct heard heard = { 0 };

	cork_begin();
	assert_int_equal(write_text(*state, "one,"), 4);
	cork_watch(hear, &heard);
	cork_end();
	assert_int_equal(heard.times, 0);
	assert_int_equal(write_text(*state, "reply"), 5);
	assert_int_equal(heard.times, 1);
	assert_true(heard.is_sent);
	assert_false(heard.was_open);
	/* The next one is another's. */
	cork_begin();
	cork_end();
	assert_int_equal(write_text(*state, "reply"), 5);
	assert_int_equal(heard.times, 1);
}

static void who_watches_hears_of_a_failure(void **state)
{
	struct pair *pair = *state;
	struct heard heard = { .is_sent = true };

	cork_begin();
	assert_int_equal(write_text(pair, "one,"), 4);
	cork_watch(hear, &heard);
	cork_end();
	assert_int_equal(close(pair->ends[FAR]), 0);
	pair->ends[FAR] = -1;
	assert_int_equal(write_text(pair, "reply"), -1);
	assert_int_equal(heard.times, 1);
	assert_false(heard.is_sent);
}

static void nobody_hears_of_what_is_dropped(void **state)
{
	struct heard heard = { 0 };

	cork_begin();
	cork_watch(hear, &heard);
	cork_drop();
	cork_begin();
	cork_end();
	assert_int_equal(write_text(*state, "reply"), 5);
	assert_int_equal(heard.times, 0);
}

/* ---- more than fits --------------------------------------------------------------------- */

struct reader {
	int fd;
	char *bytes;
	size_t size;
};

static void *read_all(void *context)
{
	struct reader *reader = context;
	ssize_t got;

	while ((got = read(reader->fd, reader->bytes + reader->size, 4096)) > 0)
		reader->size += (size_t)got;
	return NULL;
}

/* Pieces of all sizes, one of them larger than what is kept, to one who reads late. */
static void order_stays_however_much_there_is(void **state)
{
	enum { PIECES = 900, MOST = 4 * CORK_BYTES };
	struct pair *pair = *state;
	struct reader reader = { .fd = pair->ends[FAR] };
	char *piece = malloc(MOST);
	char *expected = malloc((size_t)PIECES * PIECES + MOST);
	pthread_t thread;
	size_t size = 0;

	reader.bytes = malloc((size_t)PIECES * PIECES + MOST + 4096);
	assert_true(piece != NULL && expected != NULL && reader.bytes != NULL);
	assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
	cork_begin();
	for (int i = 0; i < PIECES; i++) {
		struct iovec one = { .iov_base = piece,
				     .iov_len = i == PIECES / 2 ? MOST : (size_t)i };

		memset(piece, 'a' + i % 26, one.iov_len);
		memcpy(expected + size, piece, one.iov_len);
		size += one.iov_len;
		if (i == PIECES - 1)
			cork_end();
		assert_int_equal(cork_write(pair->ends[NEAR], &one, 1), one.iov_len);
	}
	assert_false(cork_is_open());
	assert_int_equal(shutdown(pair->ends[NEAR], SHUT_WR), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reader.size, size);
	assert_memory_equal(reader.bytes, expected, size);
	free(reader.bytes);
	free(expected);
	free(piece);
}

static void hang_up(struct pair *pair)
{
	assert_int_equal(close(pair->ends[FAR]), 0);
	pair->ends[FAR] = -1;
}

/* ---- whole packets ------------------------------------------------------------------------ */

/* How many bytes of the head of the last packet still fit into a cork, or none of it. */
static const size_t rooms[] = { 0, 1, 4, 5, 6, 9 };

/* A packet as libmilter writes it: length and command, then DATA. */
static ssize_t write_packet(const struct pair *pair, struct iovec data)
{
	unsigned char head[5] = { 0, 0, 0, 0, '+' };
	const struct iovec pieces[] = { { .iov_base = head, .iov_len = sizeof(head) }, data };

	head[2] = (unsigned char)((data.iov_len + 1) >> 8);
	head[3] = (unsigned char)((data.iov_len + 1) & 0xff);
	return cork_write(pair->ends[NEAR], pieces, 2);
}

static void an_edit_that_fails_leaves_whole_packets(void **state)
{
	enum { HEAD = 5, REPLY = 5 };
	static char data[CORK_BYTES];
	const struct pair *pair = *state;

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		const struct iovec first = { .iov_base = data,
					     .iov_len = CORK_BYTES - HEAD - rooms[i] };
		const struct iovec second = { .iov_base = data, .iov_len = 10 };
		const size_t whole = HEAD + first.iov_len;
		char got[2 * CORK_BYTES];

		cork_begin();
		assert_int_equal(write_packet(pair, first), whole);
		assert_int_equal(write_packet(pair, second), HEAD + second.iov_len);
		cork_drop();
		/* libmilter answers all the same, past the cork. */
		assert_int_equal(send(pair->ends[NEAR], "reply", REPLY, MSG_NOSIGNAL), REPLY);
		assert_int_equal(recv(pair->ends[FAR], got, sizeof(got), MSG_DONTWAIT),
				 whole + REPLY);
		assert_memory_equal(got + whole, "reply", REPLY);
	}
}

/* ---- trouble ---------------------------------------------------------------------------- */

static void who_hung_up_is_told_at_the_end(void **state)
{
	struct pair *pair = *state;

	cork_begin();
	assert_int_equal(write_text(pair, "one,"), 4);
	hang_up(pair);
	cork_end();
	assert_int_equal(write_text(pair, "reply"), -1);
	assert_int_equal(errno, EPIPE);
	assert_false(cork_is_open());
}

static void after_a_failure_nothing_more_is_sent(void **state)
{
	static char large[CORK_BYTES + 1];
	struct pair *pair = *state;
	const struct iovec piece = { .iov_base = large, .iov_len = sizeof(large) };

	hang_up(pair);
	cork_begin();
	assert_int_equal(cork_write(pair->ends[NEAR], &piece, 1), -1);
	assert_int_equal(write_text(pair, "two,"), -1);
	cork_end();
	assert_int_equal(write_text(pair, "reply"), -1);
	assert_false(cork_is_open());
}

static void half_a_packet_is_followed_by_nothing(void **state)
{
	static char large[CORK_BYTES + 1];
	const struct iovec piece = { .iov_base = large, .iov_len = sizeof(large) };
	const int little = 1;
	struct pair pair;

	(void)state;
	/* What is too large for a packet fails, and what comes behind it doesn't. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair.ends), 0);
	assert_int_equal(
		setsockopt(pair.ends[NEAR], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
	assert_int_equal(send(pair.ends[NEAR], large, 1, MSG_NOSIGNAL), 1);
	cork_begin();
	assert_int_equal(cork_write(pair.ends[NEAR], &piece, 1), -1);
	cork_drop();
	/* libmilter goes on with an answer all the same. */
	assert_int_equal(send(pair.ends[NEAR], large, 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(close(pair.ends[NEAR]), 0);
	assert_int_equal(close(pair.ends[FAR]), 0);
}

static void another_connection_gets_nothing_of_it(void **state)
{
	struct pair *pair = *state;
	struct pair other;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other.ends), 0);
	cork_begin();
	assert_int_equal(write_text(pair, "one,"), 4);
	cork_end();
	assert_int_equal(write_text(&other, "reply"), 5);
	assert_string_equal(read_text(pair), "one,");
	assert_string_equal(read_text(&other), "reply");
	assert_int_equal(close(other.ends[NEAR]), 0);
	assert_int_equal(close(other.ends[FAR]), 0);
}

static void *look(void *context)
{
	*(bool *)context = cork_is_open();
	return NULL;
}

static void another_thread_writes_as_ever(void **state)
{
	bool is_open = true;
	pthread_t thread;

	(void)state;
	cork_begin();
	assert_int_equal(pthread_create(&thread, NULL, look, &is_open), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(is_open);
	cork_drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_goes_out_with_the_write_behind_the_end, setup,
						teardown),
		cmocka_unit_test_setup_teardown(without_edits_it_is_the_reply_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_dropped_never_goes_out, setup, teardown),
		cmocka_unit_test_setup_teardown(who_watches_hears_of_the_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(who_watches_hears_of_a_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_hears_of_what_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(order_stays_however_much_there_is, setup, teardown),
		cmocka_unit_test_setup_teardown(an_edit_that_fails_leaves_whole_packets, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_hung_up_is_told_at_the_end, setup, teardown),
		cmocka_unit_test(half_a_packet_is_followed_by_nothing),
		cmocka_unit_test_setup_teardown(after_a_failure_nothing_more_is_sent, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_connection_gets_nothing_of_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_thread_writes_as_ever, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
