/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/cork.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"

static _Thread_local struct {
	bool is_open;
	bool is_ending; /* the next write sends all */
	bool has_failed;
	int fd;                                      /* of what is kept; -1: nothing is */
	void (*on_end)(bool is_sent, void *context); /* NULL: nobody asks */
	void *context;
	size_t size;
	char kept[CORK_BYTES];
} cork = { .fd = -1 };

static void reset(bool is_open)
{
	cork.is_open = is_open;
	cork.is_ending = false;
	cork.has_failed = false;
	cork.fd = -1;
	cork.on_end = NULL;
	cork.size = 0;
}

void cork_begin(void)
{
	reset(true);
}

void cork_end(void)
{
	cork.is_ending = true;
}

void cork_watch(void (*on_end)(bool is_sent, void *context), void *context)
{
	cork.on_end = on_end;
	cork.context = context;
}

void cork_drop(void)
{
	reset(false);
}

bool cork_is_open(void)
{
	return cork.is_open;
}

/* Not poll(), which asks us. */
static bool wait_until_writable(int fd)
{
	const struct timespec limit = { .tv_sec = CORK_TIMEOUT_MS / 1000 };
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	int result;

	do
		result = ppoll(&writable, 1, &limit, NULL);
	while (result < 0 && errno == EINTR);
	if (result == 0)
		errno = ETIMEDOUT;
	return result > 0;
}

/* After a send() that failed with errno: wait for room, if that is what was missing. */
static bool may_send_again(int fd)
{
	return errno == EINTR || (errno == EAGAIN && wait_until_writable(fd));
}

static bool send_all(int fd, struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t sent = send(fd, bytes.data, bytes.size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0)
			bytes = bytes_skip(bytes, (size_t)sent);
		else if (sent == 0 || !may_send_again(fd))
			return false;
	}
	return true;
}

/* After a failure nothing more may go out, whoever writes it: half a packet may have gone. */
static bool send_or_hang_up(struct bytes bytes)
{
	if (cork.has_failed || send_all(cork.fd, bytes))
		return !cork.has_failed;
	cork.has_failed = true;
	(void)shutdown(cork.fd, SHUT_RDWR); /* where it fails there is nobody any more */
	return false;
}

static bool flush(void)
{
	bool is_sent = send_or_hang_up(bytes_make(cork.kept, cork.size));

	cork.size = 0;
	return is_sent;
}

static size_t size_of(const struct iovec *pieces, int count)
{
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += pieces[i].iov_len;
	return size;
}

static void append(const struct iovec *pieces, int count)
{
	for (int i = 0; i < count; i++) {
		if (pieces[i].iov_len > 0)
			memcpy(cork.kept + cork.size, pieces[i].iov_base, pieces[i].iov_len);
		cork.size += pieces[i].iov_len;
	}
}

/* Where a packet doesn't fit, those before it go out and no part of it: if its end were dropped
 * then, the MTA would take the reply for that end. */
static bool keep_packet(const struct iovec *pieces, int count, size_t size)
{
	if (size > sizeof(cork.kept) - cork.size && !flush())
		return false;
	if (size <= sizeof(cork.kept)) {
		append(pieces, count);
		return true;
	}
	for (int i = 0; i < count; i++)
		if (!send_or_hang_up(bytes_make(pieces[i].iov_base, pieces[i].iov_len)))
			return false;
	return true;
}

/* Closed before anybody hears of it: who does may write. */
static void close_and_tell(bool is_sent)
{
	void (*on_end)(bool is_sent, void *context) = cork.on_end;

	reset(false);
	if (on_end != NULL)
		on_end(is_sent, cork.context);
}

ssize_t cork_write(int fd, const struct iovec *pieces, int count)
{
	const size_t size = size_of(pieces, count);
	bool is_sent = !cork.has_failed;

	/* Never seen: what another connection is to get doesn't belong to this one. */
	if (cork.fd >= 0 && cork.fd != fd)
		is_sent = flush();
	cork.fd = fd;
	is_sent = is_sent && keep_packet(pieces, count, size);
	if (cork.is_ending) {
		is_sent = is_sent && flush();
		close_and_tell(is_sent);
	}
	if (is_sent)
		return (ssize_t)size;
	errno = EPIPE;
	return -1;
}
