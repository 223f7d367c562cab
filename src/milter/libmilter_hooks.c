/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked into the program itself, not from an archive, since nothing of ours refers to this file.
 * What is here, and why: libmilter_hooks.def. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "milter/cork.h"
#include "milter/drain.h"
#include "milter/gate.h"
#include "milter/pool.h"
#include "milter/pulse.h"
#include "milter/signal_thread.h"
#include "service/log.h"

/* Declared under names of our own, since the system's headers may define theirs in line. */
#define HOOK(type, name, parameters)                                                               \
	__attribute__((used, visibility("default"))) type hook_##name parameters __asm__(#name);
#include "milter/libmilter_hooks.def"
#undef HOOK

int hook_sigwait(const sigset_t *restrict set, int *restrict out_signal)
{
	(void)set;
	(void)out_signal;
	signal_thread_comes();
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

__attribute__((format(printf, 2, 3))) void hook_syslog(int priority, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_foreign_line(severity_of(priority), format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 3, 4))) void hook___syslog_chk(int priority, int flag,
							     const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	log_foreign_line(severity_of(priority), format, arguments);
	va_end(arguments);
}

ssize_t hook_writev(int fd, const struct iovec *pieces, int count)
{
	ssize_t written;

	pulse_beat();
	written = cork_is_open() ? cork_write(fd, pieces, count)
				 : (ssize_t)syscall(SYS_writev, fd, pieces, count);
	drain_answered();
	return written;
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

/* libmilter asks before each write whether there is room: a cork always has some. */
int hook_poll(struct pollfd *descriptors, nfds_t count, int timeout_ms)
{
	if (cork_is_open() && count == 1 && (descriptors->events & POLLIN) == 0) {
		descriptors->revents = POLLOUT;
		return 1;
	}
	if (gate_is(descriptors, count))
		return gate_poll(poll_kernel, descriptors, timeout_ms);
	return pool_poll(poll_kernel, descriptors, count, timeout_ms);
}

int hook_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
	return gate_accept(fd, address, size);
}

int hook_pthread_create(pthread_t *restrict out_thread, const pthread_attr_t *restrict attributes,
			void *(*routine)(void *), void *restrict argument)
{
	return pool_create(out_thread, attributes, routine, argument);
}

int hook_pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
				const struct timespec *restrict limit)
{
	return pool_wait(condition, mutex, limit);
}

int hook_pthread_cond_signal(pthread_cond_t *condition)
{
	return pool_signal(condition);
}
