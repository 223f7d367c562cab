/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmilter_hooks - functions of the C library that libmilter is to find here.
 *
 * libmilter waits for signals in a thread of its own and stops on each of HUP, TERM and INT; the
 * signals are our master's. It calls syslog(3), which blocks for ever once the log daemon stalls.
 * And it writes each edit of an envelope by itself, see cork.h. A program's own definition comes
 * before the C library's, for shared libraries too.
 * Linked into the program itself, since nothing of ours refers to this file.
 */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "milter/cork.h"
#include "service/log.h"

/* As in <syslog.h>, which may define them in line. */
void syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __syslog_chk(int priority, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

int sigwait(const sigset_t *restrict set, int *restrict out_signal)
{
	(void)set;
	(void)out_signal;
	for (;;)
		(void)pause(); /* whatever wakes it isn't for libmilter */
}

static enum log_severity severity_of(int priority)
{
	enum { PRIORITY_BITS = 7, PRIORITY_ERROR = 3, PRIORITY_WARNING = 4 };
	int number = priority & PRIORITY_BITS;

	if (number <= PRIORITY_ERROR)
		return SEVERITY_ERROR;
	return number == PRIORITY_WARNING ? SEVERITY_WARNING : SEVERITY_INFO;
}

void syslog(int priority, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line_arguments(severity_of(priority), format, arguments);
	va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	log_line_arguments(severity_of(priority), format, arguments);
	va_end(arguments);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	if (cork_is_open())
		return cork_write(fd, pieces, count);
	return (ssize_t)syscall(SYS_writev, fd, pieces, count);
}

/* What poll(2) would do. Newer machines have only the other call, which is a little dearer. */
#ifdef SYS_poll
static int poll_kernel(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
	return (int)syscall(SYS_poll, descriptors, count, timeout_ms);
}
#else
static int poll_kernel(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
	const struct timespec limit = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = (long)(timeout_ms % 1000) * 1000000,
	};

	return ppoll(descriptors, count, timeout_ms < 0 ? NULL : &limit, NULL);
}
#endif

/* As poll(2), which <poll.h> may define in line. */
int hooked_poll(struct pollfd *descriptors, nfds_t count, int timeout_ms) __asm__("poll");

/* libmilter asks before each write whether there is room: a cork always has some. */
int hooked_poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
	if (cork_is_open() && count == 1 && (descriptors->events & POLLIN) == 0) {
		descriptors->revents = POLLOUT;
		return 1;
	}
	return poll_kernel(descriptors, count, timeout_ms);
}
