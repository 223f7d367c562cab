/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/log.h"

#include <errno.h>
#include <fcntl.h>
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

#include "base/clock.h"
#include "service/log_limit.h"

#define SYSLOG_PATH  "/dev/log"
#define JOURNAL_PATH "/run/systemd/journal/socket"

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

/* The one log of the process. Lock: the socket, the order of lines on standard error, the limit. */
static struct {
	pthread_mutex_t lock;
	enum log_sink sink;
	char ident[101];
	bool has_debug;
	mode_t stderr_mode; /* what kind of file it is */
	long pid;
	int fd;               /* of the log daemon; -1: not connected */
	int64_t last_attempt; /* to connect, in seconds of the clock; 0: none yet */
	uint64_t unreported;  /* dropped, and not said yet */
	_Atomic uint64_t dropped;
	_Atomic uint64_t left_out;
	struct log_limit limit;
} sole_log = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.ident = "openrcptd",
	.fd = -1,
};

static void connect_to_daemon(void)
{
	const struct sockaddr_un syslog = { .sun_family = AF_UNIX, .sun_path = SYSLOG_PATH };
	const struct sockaddr_un journal = { .sun_family = AF_UNIX, .sun_path = JOURNAL_PATH };
	const struct sockaddr_un *address = sole_log.sink == LOG_SINK_JOURNAL ? &journal : &syslog;
	int64_t now = clock_seconds();

	if (sole_log.fd >= 0 ||
	    (sole_log.last_attempt != 0 && now - sole_log.last_attempt < RECONNECT_SECONDS))
		return;
	sole_log.last_attempt = now;
	sole_log.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sole_log.fd < 0)
		return;
	if (connect(sole_log.fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
		(void)close(sole_log.fd); /* nothing was written to it */
		sole_log.fd = -1;
	}
}

/* The date of RFC 3164. Making it is expensive, and it stays the same for a second. */
static const char *print_date(void)
{
	static _Thread_local time_t printed;
	static _Thread_local char text[32];
	time_t now = time(NULL);
	struct tm parts;

	if (now == printed)
		return text;
	printed = now;
	if (localtime_r(&now, &parts) == NULL ||
	    strftime(text, sizeof(text), "%b %e %H:%M:%S ", &parts) == 0)
		text[0] = '\0';
	return text;
}

/* What each line begins with; for syslog in a form that every log daemon accepts. */
static void make_head(struct log_batch *batch, enum log_severity severity)
{
	const char *word = severities[severity].word;
	int size;

	if (batch->head_size > 0 && batch->head_severity == severity)
		return;
	if (sole_log.sink == LOG_SINK_STDERR)
		size = snprintf(batch->head, sizeof(batch->head), "%s[%ld]: %s", sole_log.ident,
				sole_log.pid, word);
	else if (sole_log.sink == LOG_SINK_JOURNAL)
		size = snprintf(batch->head, sizeof(batch->head),
				"SYSLOG_FACILITY=%d\nPRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n"
				"SYSLOG_PID=%ld\nMESSAGE=%s",
				LOG_FAC(LOG_MAIL), severities[severity].priority, sole_log.ident,
				sole_log.pid, word);
	else
		size = snprintf(batch->head, sizeof(batch->head), "<%d>%s%s[%ld]: %s",
				LOG_MAIL | severities[severity].priority, print_date(),
				sole_log.ident, sole_log.pid, word);
	batch->head_size = size < 0 ? 0 : (size_t)size; /* the parts have less than the room */
	batch->head_severity = severity;
}

/* Where the next line begins in BATCH, which has room for any; behind its head. */
static char *begin_line(struct log_batch *batch, enum log_severity severity)
{
	char *line = batch->text + (batch->count == 0 ? 0 : batch->ends[batch->count - 1]);

	make_head(batch, severity);
	memcpy(line, batch->head, batch->head_size);
	return line + batch->head_size;
}

/* Any byte of 0 to 31, or 127? Eight at a time: adding to the low seven bits of each never carries
 * into the next. */
static bool has_controls(const char *text, size_t size)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t found = 0;

	for (; size >= sizeof(found); text += sizeof(found), size -= sizeof(found)) {
		uint64_t word;
		uint64_t low;

		memcpy(&word, text, sizeof(word));
		low = word & (each * 0x7f);
		found |= (~(low + each * (128 - 32)) | (low + each)) & ~word;
	}
	for (; size > 0; text++, size--)
		if ((unsigned char)*text < 32 || *text == 127)
			return true;
	return (found & (each * 0x80)) != 0;
}

static void replace_controls(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 32 || text[i] == 127)
			text[i] = '?';
}

/* End the line at TEXT, which came from begin_line() and now has SIZE bytes. */
static void end_line(struct log_batch *batch, char *text, size_t size)
{
	/* What libmilter says ends with a newline now and then. */
	while (size > 0 && text[size - 1] == '\n')
		size--;
	if (has_controls(text, size))
		replace_controls(text, size);
	if (sole_log.sink != LOG_SINK_SYSLOG)
		text[size++] = '\n';
	batch->ends[batch->count++] = (size_t)(text + size - batch->text);
}

static void add_line(struct log_batch *batch, enum log_severity severity, const char *format,
		     va_list arguments) __attribute__((format(printf, 3, 0)));
static void add_line(struct log_batch *batch, enum log_severity severity, const char *format,
		     va_list arguments)
{
	char *text = begin_line(batch, severity);
	int length = vsnprintf(text, LOG_LINE_MAX, format, arguments);
	size_t size = length < 0 ? 0 : (size_t)length;

	end_line(batch, text, size < LOG_LINE_MAX ? size : LOG_LINE_MAX - 1);
}

/* These send the lines of a batch, and say how many got through. */

static size_t send_to_daemon(struct log_batch *batch)
{
	struct iovec pieces[LOG_BATCH_LINES];
	struct mmsghdr messages[LOG_BATCH_LINES] = { { .msg_len = 0 } };
	size_t begin = 0;
	int sent;

	connect_to_daemon();
	if (sole_log.fd < 0)
		return 0;
	for (size_t i = 0; i < batch->count; i++) {
		pieces[i] = (struct iovec){ .iov_base = batch->text + begin,
					    .iov_len = batch->ends[i] - begin };
		messages[i].msg_hdr.msg_iov = &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		begin = batch->ends[i];
	}
	sent = sendmmsg(sole_log.fd, messages, (unsigned)batch->count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0)
		return (size_t)sent;
	if (errno != EAGAIN && errno != ENOBUFS) {
		/* The log daemon was started anew: its old socket leads nowhere. */
		(void)close(sole_log.fd); /* datagrams are gone or sent */
		sole_log.fd = -1;
	}
	return 0;
}

static size_t send_to_stderr(const struct log_batch *batch)
{
	struct pollfd writable = { .fd = STDERR_FILENO, .events = POLLOUT };
	const struct timespec at_once = { 0 };
	size_t size = batch->ends[batch->count - 1];
	ssize_t written;

	if (S_ISSOCK(sole_log.stderr_mode)) {
		written = send(STDERR_FILENO, batch->text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		return written < 0 ? 0 : batch->count;
	}
	/* A pipe that is writable has room for PIPE_BUF bytes, which is no less than a batch. */
	/* Not poll(), which a cork answers. */
	if (!S_ISREG(sole_log.stderr_mode) && ppoll(&writable, 1, &at_once, NULL) != 1)
		return 0;
	written = write(STDERR_FILENO, batch->text, size);
	return written < 0 ? 0 : batch->count;
}

static size_t send_batch(struct log_batch *batch)
{
	return sole_log.sink == LOG_SINK_STDERR ? send_to_stderr(batch) : send_to_daemon(batch);
}

static void add_text(struct log_batch *batch, enum log_severity severity, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add_text(struct log_batch *batch, enum log_severity severity, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add_line(batch, severity, format, arguments);
	va_end(arguments);
}

static void report_dropped(void)
{
	struct log_batch batch;

	log_batch_begin(&batch);
	add_text(&batch, SEVERITY_WARNING, "%llu log lines dropped",
		 (unsigned long long)sole_log.unreported);
	if (send_batch(&batch) == 1)
		sole_log.unreported = 0;
}

void log_batch_begin(struct log_batch *batch)
{
	batch->count = 0;
	batch->head_size = 0;
}

void log_batch_send(struct log_batch *batch)
{
	size_t lost;

	if (batch->count == 0)
		return;
	(void)pthread_mutex_lock(&sole_log.lock); /* can't fail: initialised, not recursive */
	if (sole_log.unreported > 0)
		report_dropped();
	lost = batch->count - send_batch(batch);
	sole_log.unreported += lost;
	sole_log.dropped += lost;
	(void)pthread_mutex_unlock(&sole_log.lock);
	batch->count = 0;
}

/* Several processes write to one pipe: the room that poll() has seen may be gone at the next
 * step. So the pipe is opened anew, for a write that never waits; whoever else has it keeps what it
 * has. A program that follows this one has that already, and may no longer be allowed to open it.
 */
static void never_wait_for_stderr(void)
{
	int flags = fcntl(STDERR_FILENO, F_GETFL);
	int fd;

	if (!S_ISFIFO(sole_log.stderr_mode) || flags < 0 || (flags & O_NONBLOCK) != 0)
		return;
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return;                /* somebody else's: then poll() has to do */
	(void)dup2(fd, STDERR_FILENO); /* or all is as before */
	(void)close(fd);               /* there is a copy */
}

void log_open(enum log_sink sink, const char *ident)
{
	struct stat status;

	tzset();
	sole_log.sink = sink;
	(void)snprintf(sole_log.ident, sizeof(sole_log.ident), "%s", ident); /* may be cut */
	sole_log.stderr_mode = fstat(STDERR_FILENO, &status) == 0 ? status.st_mode : 0;
	sole_log.pid = getpid();
	if (sink != LOG_SINK_STDERR)
		connect_to_daemon();
	else
		never_wait_for_stderr();
	if (sink != LOG_SINK_JOURNAL || sole_log.fd >= 0)
		return;
	/* No systemd here: its socket outlives journald, so it won't come later. */
	sole_log.sink = LOG_SINK_SYSLOG;
	sole_log.last_attempt = 0;
	log_line(SEVERITY_WARNING, "%s: can't be reached: logging to syslog", JOURNAL_PATH);
}

void log_forked(void)
{
	sole_log.pid = getpid();
	sole_log.limit = (struct log_limit){ .kinds = { { .kind = 0 } } };
}

void log_enable_debug(void)
{
	sole_log.has_debug = true;
}

bool log_has_debug(void)
{
	return sole_log.has_debug;
}

/* Who starts a daemon by hand wants to see why it ends. */
static void show_fatal(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
static void show_fatal(const char *format, va_list arguments)
{
	(void)fprintf(stderr, "%s: fatal: ", sole_log.ident); /* syslog has it too */
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
}

static bool take_left_out(int64_t now, struct log_kind *out_kind)
{
	bool is_taken;

	(void)pthread_mutex_lock(&sole_log.lock); /* can't fail, as at the others */
	is_taken = log_limit_take(&sole_log.limit, now, out_kind);
	(void)pthread_mutex_unlock(&sole_log.lock);
	return is_taken;
}

void log_tell_left_out(bool is_end)
{
	int64_t now = is_end ? INT64_MAX : clock_seconds();
	struct log_kind kind;
	struct log_batch batch;

	while (take_left_out(now, &kind)) {
		log_batch_begin(&batch);
		add_text(&batch, (enum log_severity)kind.severity,
			 "%llu lines like this in %d s were not written: %s",
			 (unsigned long long)kind.left_out, LOG_LIMIT_SECONDS, kind.sample);
		log_batch_send(&batch);
	}
}

/* Is there room for the only line of BATCH, which FORMAT made? */
static bool is_admitted(const struct log_batch *batch, const char *format)
{
	struct bytes line =
		bytes_make(batch->text + batch->head_size, batch->ends[0] - batch->head_size);
	bool has_room;

	log_tell_left_out(false);
	(void)pthread_mutex_lock(&sole_log.lock); /* can't fail */
	has_room = log_limit_admits(&sole_log.limit, log_limit_kind(format, line),
				    (int)batch->head_severity, line, clock_seconds());
	(void)pthread_mutex_unlock(&sole_log.lock);
	if (!has_room)
		sole_log.left_out++;
	return has_room;
}

static void log_arguments(enum log_severity severity, bool is_limited, const char *format,
			  va_list arguments) __attribute__((format(printf, 3, 0)));
static void log_arguments(enum log_severity severity, bool is_limited, const char *format,
			  va_list arguments)
{
	struct log_batch batch;
	va_list again;

	if (severity == SEVERITY_DEBUG && !sole_log.has_debug)
		return;
	if (severity >= SEVERITY_FATAL && sole_log.sink != LOG_SINK_STDERR) {
		va_copy(again, arguments);
		show_fatal(format, again);
		va_end(again);
	}
	log_batch_begin(&batch);
	add_line(&batch, severity, format, arguments);
	if (!is_limited || is_admitted(&batch, format))
		log_batch_send(&batch);
}

void log_foreign_line(enum log_severity severity, const char *format, va_list arguments)
{
	log_arguments(severity, true, format, arguments);
}

void log_line(enum log_severity severity, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_arguments(severity, severity == SEVERITY_WARNING || severity == SEVERITY_ERROR, format,
		      arguments);
	va_end(arguments);
}

/* Behind the line of BATCH that was ended last, and begins at TEXT: a part of it as a field. What
 * would end a field is no longer in a line. */
static void add_field(struct log_batch *batch, const char *text, size_t line_size,
		      const struct log_field *field)
{
	size_t *end = &batch->ends[batch->count - 1];
	size_t name_size = strlen(field->name);
	size_t begin = field->begin < line_size ? field->begin : line_size;
	size_t size = (field->end < line_size ? field->end : line_size) - begin;
	char *out = batch->text + *end;

	if (size == 0 || LOG_BATCH_BYTES - *end < name_size + size + 2)
		return;
	memcpy(out, field->name, name_size);
	out[name_size] = '=';
	memcpy(out + name_size + 1, text + begin, size);
	out[name_size + 1 + size] = '\n';
	*end += name_size + size + 2;
}

void log_batch_add(struct log_batch *batch, enum log_severity severity, struct bytes line,
		   const struct log_field *fields, size_t count)
{
	size_t used = batch->count == 0 ? 0 : batch->ends[batch->count - 1];
	bool has_fields = sole_log.sink == LOG_SINK_JOURNAL;
	size_t size;
	char *text;

	line = bytes_first(line, LOG_LINE_MAX - 1);
	/* With its head, and a newline; its fields say most of it once more. */
	if (batch->count == LOG_BATCH_LINES ||
	    LOG_BATCH_BYTES - used < LOG_HEAD_MAX + line.size * (has_fields ? 2 : 1) + 1)
		log_batch_send(batch);
	text = begin_line(batch, severity);
	if (line.size > 0)
		memcpy(text, line.data, line.size);
	end_line(batch, text, line.size);
	/* Less where newlines were cut off. */
	size = (size_t)(batch->text + batch->ends[batch->count - 1] - text) - 1;
	for (size_t i = 0; has_fields && i < count; i++)
		add_field(batch, text, size, &fields[i]);
}

void log_record(enum log_severity severity, struct bytes line, const struct log_field *fields,
		size_t count)
{
	struct log_batch batch;

	log_batch_begin(&batch);
	log_batch_add(&batch, severity, line, fields, count);
	log_batch_send(&batch);
}

uint64_t log_dropped(void)
{
	return sole_log.dropped;
}

uint64_t log_left_out(void)
{
	return sole_log.left_out;
}
