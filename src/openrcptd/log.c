/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define SYSLOG_PATH "/dev/log"

enum { RECONNECT_SECONDS = 1 };

static const struct severity {
	const char *word; /* as Postfix has them */
	int priority;
} severities[SEVERITIES] = {
	[SEVERITY_DEBUG] = { "debug: ", LOG_DEBUG },
	[SEVERITY_INFO] = { "", LOG_INFO },
	[SEVERITY_WARNING] = { "warning: ", LOG_WARNING },
	[SEVERITY_ERROR] = { "error: ", LOG_ERR },
	[SEVERITY_FATAL] = { "fatal: ", LOG_CRIT },
	[SEVERITY_PANIC] = { "panic: ", LOG_CRIT },
};

/* The one log of the process. Lock: the socket, and the order of lines on standard error. */
static struct {
	pthread_mutex_t lock;
	enum log_sink sink;
	const char *ident;
	bool has_debug;
	bool is_stderr_socket;
	int fd;              /* of syslog; -1: not connected */
	time_t last_attempt; /* to connect; monotonic */
	uint64_t unreported; /* dropped, and not said yet */
	_Atomic uint64_t dropped;
} sole_log = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.ident = "openrcptd",
	.fd = -1,
};

static time_t monotonic_seconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return 0;
	return now.tv_sec;
}

static void connect_to_syslog(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SYSLOG_PATH };
	time_t now = monotonic_seconds();

	if (sole_log.fd >= 0 ||
	    (sole_log.last_attempt != 0 && now - sole_log.last_attempt < RECONNECT_SECONDS))
		return;
	sole_log.last_attempt = now;
	sole_log.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sole_log.fd < 0)
		return;
	if (connect(sole_log.fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		(void)close(sole_log.fd); /* nothing was written to it */
		sole_log.fd = -1;
	}
}

static bool send_to_syslog(int priority, const char *text, size_t size)
{
	char line[LOG_LINE_MAX + 200];
	char date[32] = "";
	time_t now = time(NULL);
	struct tm parts;
	int length;

	connect_to_syslog();
	if (sole_log.fd < 0)
		return false;
	if (localtime_r(&now, &parts) != NULL)
		(void)strftime(date, sizeof(date), "%b %e %H:%M:%S ", &parts); /* fits */
	length = snprintf(line, sizeof(line), "<%d>%s%.100s[%ld]: %.*s", LOG_MAIL | priority, date,
			  sole_log.ident, (long)getpid(), (int)size, text);
	if (length < 0)
		return false;
	if ((size_t)length >= sizeof(line))
		length = (int)sizeof(line) - 1;
	if (send(sole_log.fd, line, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno != EAGAIN && errno != ENOBUFS) {
		/* The log daemon was started anew: its old socket leads nowhere. */
		(void)close(sole_log.fd); /* datagrams are gone or sent */
		sole_log.fd = -1;
	}
	return false;
}

static bool send_to_stderr(const char *text, size_t size)
{
	struct pollfd writable = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[LOG_LINE_MAX + 200];
	int length = snprintf(line, sizeof(line), "%.100s[%ld]: %.*s\n", sole_log.ident,
			      (long)getpid(), (int)size, text);

	if (length < 0 || (size_t)length >= sizeof(line))
		return false;
	if (sole_log.is_stderr_socket)
		return send(STDERR_FILENO, line, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
	/* A pipe that is writable has room for PIPE_BUF bytes, which is more than a line. */
	if (poll(&writable, 1, 0) != 1)
		return false;
	return write(STDERR_FILENO, line, (size_t)length) == length;
}

static bool send_line(enum log_severity severity, const char *text, size_t size)
{
	if (sole_log.sink == LOG_SINK_STDERR)
		return send_to_stderr(text, size);
	/* Who starts a daemon by hand wants to see why it ends. */
	if (severity >= SEVERITY_FATAL)
		(void)send_to_stderr(text, size); /* syslog has it too */
	return send_to_syslog(severities[severity].priority, text, size);
}

static void report_dropped(void)
{
	char text[100];
	int size;

	if (sole_log.unreported == 0)
		return;
	size = snprintf(text, sizeof(text), "warning: %llu log lines dropped",
			(unsigned long long)sole_log.unreported);
	if (size > 0 && send_line(SEVERITY_WARNING, text, (size_t)size))
		sole_log.unreported = 0;
}

void log_open(enum log_sink sink, const char *ident)
{
	struct stat status;

	tzset();
	sole_log.sink = sink;
	sole_log.ident = ident;
	sole_log.is_stderr_socket = fstat(STDERR_FILENO, &status) == 0 && S_ISSOCK(status.st_mode);
	if (sink == LOG_SINK_SYSLOG)
		connect_to_syslog();
}

void log_enable_debug(void)
{
	sole_log.has_debug = true;
}

void log_line_arguments(enum log_severity severity, const char *format, va_list arguments)
{
	char text[LOG_LINE_MAX];
	const char *word = severities[severity].word;
	size_t size = strlen(word);
	int length;

	if (severity == SEVERITY_DEBUG && !sole_log.has_debug)
		return;
	memcpy(text, word, size);
	length = vsnprintf(text + size, sizeof(text) - size, format, arguments);
	if (length < 0)
		return;
	size += (size_t)length;
	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	/* What libmilter says ends with a newline now and then. */
	while (size > 0 && text[size - 1] == '\n')
		size--;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 32 || text[i] == 127)
			text[i] = '?';
	(void)pthread_mutex_lock(&sole_log.lock); /* can't fail: initialised, not recursive */
	report_dropped();
	if (!send_line(severity, text, size)) {
		sole_log.unreported++;
		sole_log.dropped++;
	}
	(void)pthread_mutex_unlock(&sole_log.lock);
}

void log_line(enum log_severity severity, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line_arguments(severity, format, arguments);
	va_end(arguments);
}

uint64_t log_dropped(void)
{
	return sole_log.dropped;
}
