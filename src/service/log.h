/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log - one line a record, to syslog (facility mail), the journal or standard error, never
 * blocking.
 *
 * While the log daemon stalls, lines are counted and dropped, and the count is logged later.
 * Trouble that repeats is limited by its kind (log_limit.h), and how many lines were left out is
 * logged, too; what is the record of a message goes through log_record() or a batch, and is never
 * limited. A caller escapes what a client sent (address_escape()); bytes 0-31 and 127 that came
 * through all the same become `?`. Thread-safe, and usable before log_open(): then it is standard
 * error.
 */
#ifndef SERVICE_LOG_H
#define SERVICE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	LOG_LINE_MAX = 2000,    /* bytes; the rest is cut */
	LOG_HEAD_MAX = 200,     /* and as many before it */
	LOG_BATCH_BYTES = 4096, /* what a pipe takes in one piece */
	LOG_BATCH_LINES = 32,
};

enum log_severity {
	SEVERITY_DEBUG,
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	SEVERITY_FATAL,
	SEVERITY_PANIC,
	SEVERITIES
};

enum log_sink {
	LOG_SINK_STDERR,
	LOG_SINK_SYSLOG,
	LOG_SINK_JOURNAL, /* systemd's, in its own protocol, which has fields; else syslog */
};

/* A part of a line, and the name that it has as a field of the journal. */
struct log_field {
	const char *name;
	size_t begin;
	size_t end; /* behind it */
};

/* Where lines go from now on; up to 100 bytes of IDENT stand in front of each. Once a process,
 * before there are threads; a child of fork() inherits it, see log_forked(). */
void log_open(enum log_sink sink, const char *ident);

/* After a fork(), in the child: lines carry its own process number, and its kinds begin anew. */
void log_forked(void);

/* Debug lines are dropped unless this was called. */
void log_enable_debug(void);
bool log_has_debug(void);

/* Of a warning or an error only the first lines of its kind are written. An info line tells that a
 * state has changed, and a fatal one why all ends: those are. */
void log_line(enum log_severity severity, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What a library says: limited whatever its severity. */
void log_foreign_line(enum log_severity severity, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));

/* What happened to one message or recipient. FIELDS are parts of LINE; a field without room is
 * left out. */
void log_record(enum log_severity severity, struct bytes line, const struct log_field *fields,
		size_t count);

/* Log how many lines were left out of each kind whose time is over; IS_END: of all. To be called
 * now and then, else they wait for the next line. */
void log_tell_left_out(bool is_end);

/* Lines on their way, so that many are one system call. */
struct log_batch {
	size_t count;
	size_t ends[LOG_BATCH_LINES]; /* in text; where each line ends */
	size_t head_size;             /* 0: none yet */
	enum log_severity head_severity;
	char head[LOG_HEAD_MAX]; /* what lines of this severity begin with */
	char text[LOG_BATCH_BYTES];
};

/* Many lines at once, for no longer than a moment: begin, add them, then send what is left. */
void log_batch_begin(struct log_batch *batch);
void log_batch_add(struct log_batch *batch, enum log_severity severity, struct bytes line,
		   const struct log_field *fields, size_t count);
void log_batch_send(struct log_batch *batch);

/* How many lines were dropped since the start of this process. */
uint64_t log_dropped(void);

/* How many were left out, since there were too many of their kind. */
uint64_t log_left_out(void);

#endif
