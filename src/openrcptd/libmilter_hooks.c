/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmilter_hooks - functions of the C library that libmilter is to find here.
 *
 * libmilter waits for signals in a thread of its own and stops on each of HUP, TERM and INT; the
 * signals are our master's. And it calls syslog(3), which blocks for ever once the log daemon
 * stalls. A program's own definition comes before the C library's, for shared libraries too.
 * Linked into the program itself, since nothing of ours refers to this file.
 */
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "openrcptd/log.h"

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
