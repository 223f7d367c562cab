/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptctl/client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "service/descriptor.h"

enum { ANSWER_BYTES = 65536 };

/* ---- the answer --------------------------------------------------------------------------- */

bool client_next(struct bytes *rest, struct bytes *out_name, struct bytes *out_value)
{
	size_t end = bytes_index(*rest, '\n');
	struct bytes line = bytes_first(*rest, end);
	size_t tab = bytes_index(line, '\t');

	if (end == rest->size || tab == line.size)
		return false;
	*out_name = bytes_first(line, tab);
	*out_value = bytes_skip(line, tab + 1);
	*rest = bytes_skip(*rest, end + 1);
	return true;
}

struct bytes client_value(const struct client_answer *answer, const char *name)
{
	struct bytes rest = buffer_bytes(&answer->text);
	struct bytes found, value;

	while (client_next(&rest, &found, &value))
		if (bytes_equal(found, bytes_of(name)))
			return value;
	return bytes_make("", 0);
}

static uint64_t number_of(struct bytes text)
{
	uint64_t number = 0;

	for (size_t i = 0; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
		number = number * 10 + (uint64_t)(text.data[i] - '0');
	return number;
}

uint64_t client_number(const struct client_answer *answer, const char *name)
{
	return number_of(client_value(answer, name));
}

/* Take the last line off. False: it isn't there. */
static bool take_end(struct client_answer *answer)
{
	static const char word[] = "end\t";
	struct bytes text = buffer_bytes(&answer->text);
	struct bytes last;
	size_t begin;

	if (text.size == 0 || text.data[text.size - 1] != '\n')
		return false;
	for (begin = text.size - 1; begin > 0 && text.data[begin - 1] != '\n'; begin--)
		continue;
	last = bytes_skip(text, begin);
	if (!bytes_equal(bytes_first(last, sizeof(word) - 1), bytes_make(word, sizeof(word) - 1)))
		return false;
	answer->status = (int)(number_of(bytes_skip(last, sizeof(word) - 1)) & 0xff);
	answer->text.size = begin;
	return true;
}

void client_answer_free(struct client_answer *answer)
{
	if (answer->descriptor >= 0)
		(void)close(answer->descriptor); /* was only read */
	buffer_free(&answer->text);
}

/* ---- the question --------------------------------------------------------------------------- */

static bool address_of(const struct settings *settings, struct sockaddr_un *out_address,
		       struct error *err)
{
	char *path = out_address->sun_path;
	size_t room = sizeof(out_address->sun_path);
	int length = settings->control_socket[0] != '\0'
			     ? snprintf(path, room, "%s", settings->control_socket)
			     : snprintf(path, room, "%s/control.sock", settings->runtime_directory);

	out_address->sun_family = AF_UNIX;
	return (length >= 0 && (size_t)length < room) ||
	       error_set(err, EX_CONFIG, "control_socket: path too long");
}

static bool fail_in_time(struct error *err)
{
	return error_set(err, EX_TEMPFAIL, "openrcptd has not answered in time");
}

static bool fail_to_connect(const char *path, struct error *err)
{
	int status = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;

	if (errno == EAGAIN)
		return fail_in_time(err);
	return error_set_errno(err, status, "no openrcptd answers at %s", path);
}

static bool receive(int fd, struct client_answer *answer, struct error *err)
{
	char room[4096];
	ssize_t size;

	for (;;) {
		int descriptor = -1;

		size = descriptor_receive(fd, room, sizeof(room), 0, &descriptor);
		if (descriptor >= 0)
			answer->descriptor = descriptor; /* one comes at most */
		if (size <= 0)
			break;
		if (!buffer_append(&answer->text, bytes_make(room, (size_t)size)))
			return error_set(err, EX_PROTOCOL, "the answer is too long");
	}
	if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return fail_in_time(err);
	if (answer->text.size == 0)
		return error_set(err, EX_NOPERM,
				 "openrcptd hung up: it answers root and its own user");
	return take_end(answer) || error_set(err, EX_PROTOCOL, "the end of the answer is missing");
}

/* Its queue may be full, too. Without limits we would only wait for longer. */
static void set_limits(int fd, int seconds)
{
	const struct timeval limit = { .tv_sec = seconds };

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static bool ask(int fd, const char *request, struct client_answer *answer, struct error *err)
{
	char line[256];
	int size = snprintf(line, sizeof(line), "%s\n", request);

	if (size < 0 || (size_t)size >= sizeof(line))
		return error_set(err, EX_USAGE, "the request is too long");
	/* Who is turned away shows when nothing comes back. */
	(void)send(fd, line, (size_t)size, MSG_NOSIGNAL);
	return receive(fd, answer, err);
}

bool client_ask(const struct settings *settings, const char *request, int seconds,
		struct client_answer *out_answer, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	bool is_answered;
	int fd;

	*out_answer = (struct client_answer){ .descriptor = -1 };
	buffer_init(&out_answer->text, ANSWER_BYTES);
	if (!address_of(settings, &address, err))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, EX_OSERR, "socket");
	set_limits(fd, seconds);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		is_answered = fail_to_connect(address.sun_path, err);
	else
		is_answered = ask(fd, request, out_answer, err);
	(void)close(fd); /* what was to be read has been */
	return is_answered;
}
