/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtp_load - send made-up mail over SMTP, as fast as it is taken.
 *
 *   smtp_load PORT RECIPIENTS SKIP MESSAGES EACH SESSIONS mail|flood
 *
 * RECIPIENTS is a list, one a line, of which SKIP are left out. Each of MESSAGES messages goes to
 * EACH of them; commands are pipelined. `flood` says RSET after the recipients and sends no
 * message.
 * One line of JSON: what was answered, and how long it took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "clock.h"
#include "text.h"

enum { SESSIONS_MAX = 64, COMMANDS_LIMIT = 1 << 22, BODY_LINES = 25 };

static struct {
	struct text_lines recipients;
	uint16_t port;
	size_t skip;
	size_t messages;
	size_t each;
	bool is_flood;
	_Atomic size_t next;
	_Atomic uint64_t replies[10]; /* to RCPT, by first digit */
	_Atomic uint64_t sent;
} load;

struct session {
	int fd;
	FILE *replies;
	struct buffer commands;
};

/* One whole reply: its first digit. */
static unsigned reply(struct session *session, char *line, int room)
{
	do {
		if (fgets(line, room, session->replies) == NULL)
			text_fail("smtp_load", "the server hung up");
	} while (strlen(line) > 3 && line[3] == '-');
	return (unsigned)(line[0] - '0') % 10;
}

static void expect(struct session *session, unsigned digit)
{
	char line[1024];

	if (reply(session, line, sizeof(line)) != digit)
		text_fail("smtp_load", line);
}

/* Send what has been gathered. */
static void send_commands(struct session *session)
{
	struct bytes rest = buffer_bytes(&session->commands);

	if (session->commands.has_failed)
		text_fail("smtp_load", "message too large");
	while (rest.size > 0) {
		ssize_t written = write(session->fd, rest.data, rest.size);

		if (written <= 0)
			text_fail("smtp_load", strerror(errno));
		rest = bytes_skip(rest, (size_t)written);
	}
	buffer_clear(&session->commands);
}

static void say(struct session *session, const char *text)
{
	(void)buffer_append_text(&session->commands, text); /* seen when it is sent */
}

static void open_session(struct session *session)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(load.port) };
	int yes = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	session->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (session->fd < 0 ||
	    setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0 ||
	    connect(session->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		text_fail("connect", strerror(errno));
	session->replies = fdopen(session->fd, "r");
	if (session->replies == NULL)
		text_fail("smtp_load", strerror(errno));
	buffer_init(&session->commands, COMMANDS_LIMIT);
	expect(session, 2);
	say(session, "EHLO client.example\r\n");
	send_commands(session);
	expect(session, 2);
}

static void say_body(struct session *session)
{
	say(session, "From: <sender@client.example>\r\nTo: undisclosed:;\r\n"
		     "Subject: load\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n"
		     "Message-Id: <load@client.example>\r\n\r\n");
	for (int i = 0; i < BODY_LINES; i++)
		say(session,
		    "This line is here so that the message has the size of a short letter.\r\n");
	say(session, ".\r\n");
}

static void count_replies(struct session *session, size_t *out_accepted)
{
	char line[1024];

	*out_accepted = 0;
	for (size_t i = 0; i < load.each; i++) {
		unsigned digit = reply(session, line, sizeof(line));

		(void)atomic_fetch_add(&load.replies[digit], 1); /* only the sum counts */
		*out_accepted += digit == 2;
	}
}

static void send_message(struct session *session, size_t number)
{
	size_t accepted;
	char line[1024];

	say(session, "MAIL FROM:<sender@client.example>\r\n");
	for (size_t i = 0; i < load.each; i++) {
		size_t place = (load.skip + number * load.each + i) % load.recipients.count;
		struct bytes recipient = load.recipients.lines[place];

		say(session, "RCPT TO:<");
		(void)buffer_append(&session->commands, recipient); /* seen when it is sent */
		say(session, ">\r\n");
	}
	say(session, load.is_flood ? "RSET\r\n" : "DATA\r\n");
	send_commands(session);
	expect(session, 2);
	count_replies(session, &accepted);
	if (load.is_flood) {
		expect(session, 2);
	} else if (reply(session, line, sizeof(line)) == 3) {
		say_body(session);
		send_commands(session);
		expect(session, 2);
		(void)atomic_fetch_add(&load.sent, 1); /* only the sum counts */
	} else {
		say(session, "RSET\r\n");
		send_commands(session);
		expect(session, 2);
	}
}

static void *run_session(void *argument)
{
	struct session session = { .fd = -1 };
	size_t number;

	(void)argument;
	open_session(&session);
	while ((number = atomic_fetch_add(&load.next, 1)) < load.messages)
		send_message(&session, number);
	say(&session, "QUIT\r\n");
	send_commands(&session);
	expect(&session, 2);
	(void)fclose(session.replies); /* closes the socket; all is said */
	buffer_free(&session.commands);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[SESSIONS_MAX];
	size_t sessions;
	double start;

	if (argc != 8)
		text_fail("usage", "smtp_load PORT RECIPIENTS SKIP MESSAGES EACH SESSIONS MODE");
	load.port = (uint16_t)strtoul(argv[1], NULL, 10);
	load.recipients = text_read_lines(argv[2]);
	load.skip = strtoul(argv[3], NULL, 10);
	load.messages = strtoul(argv[4], NULL, 10);
	load.each = strtoul(argv[5], NULL, 10);
	sessions = strtoul(argv[6], NULL, 10);
	load.is_flood = strcmp(argv[7], "flood") == 0;
	if (sessions == 0 || sessions > SESSIONS_MAX)
		text_fail(argv[6], "out of range");
	start = clock_wall_ns();
	for (size_t i = 0; i < sessions; i++)
		if (pthread_create(&threads[i], NULL, run_session, NULL) != 0)
			text_fail("smtp_load", "no thread");
	for (size_t i = 0; i < sessions; i++)
		(void)pthread_join(threads[i], NULL); /* it is there */
	printf("{\"wall_s\": %.3f, \"messages\": %llu, \"accepted\": %llu, \"deferred\": %llu, "
	       "\"refused\": %llu}\n",
	       (clock_wall_ns() - start) / 1e9, (unsigned long long)load.sent,
	       (unsigned long long)load.replies[2], (unsigned long long)load.replies[4],
	       (unsigned long long)load.replies[5]);
	return 0;
}
