/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/report.h"

#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

enum { PRINTED_MAX = 100, TEXT_BYTES = 4096 };

void report_init(struct report *report, FILE *stream)
{
	*report = (struct report){ .stream = stream };
	(void)pthread_mutex_init(&report->lock, NULL); /* never fails with default attributes */
}

void report_free(struct report *report)
{
	(void)pthread_mutex_destroy(&report->lock); /* nobody holds it any more */
}

/* `3 more errors`; nothing where all were printed. */
static void print_rest(const struct report *report, size_t count, const char *kind)
{
	size_t rest = count > PRINTED_MAX ? count - PRINTED_MAX : 0;

	if (rest > 0)
		(void)fprintf(report->stream, "rcptmap: ... and %zu more %s%s\n", rest, kind,
			      rest == 1 ? "" : "s");
}

void report_end(struct report *report)
{
	(void)pthread_mutex_lock(&report->lock); /* never fails: it isn't ours already */
	print_rest(report, report->warnings, "warning");
	print_rest(report, report->errors, "error");
	(void)pthread_mutex_unlock(&report->lock);
}

/* What stands in a source may be anything; a terminal must not obey it. */
static void print_escaped(const char *text, FILE *stream)
{
	while (*text != '\0') {
		size_t size = 0;

		while ((unsigned char)text[size] >= ' ' && text[size] != 0x7f)
			size++;
		/* As a whole: a stream of messages has no buffer. */
		(void)fwrite(text, 1, size, stream);
		text += size;
		if (*text != '\0')
			(void)fprintf(stream, "\\x%02X", (unsigned char)*text++);
	}
}

/* COUNT is of this kind of message so far, with this one. Caller holds the lock. */
static void print(const struct report *report, const char *file, uint32_t line, size_t count,
		  const char *kind, const char *text)
{
	FILE *stream = report->stream;

	if (count > PRINTED_MAX + 1)
		return;
	if (count == PRINTED_MAX + 1) {
		(void)fprintf(stream, "rcptmap: %smore than %d, the rest is only counted\n", kind,
			      PRINTED_MAX);
		return;
	}
	print_escaped(file == NULL ? "rcptmap" : file, stream);
	if (file != NULL && line != 0)
		(void)fprintf(stream, ":%lu", (unsigned long)line);
	(void)fprintf(stream, ": %s", kind);
	print_escaped(text, stream);
	(void)putc('\n', stream);
}

static void add_error(struct report *report, int status, const char *file, uint32_t line,
		      const char *text)
{
	(void)pthread_mutex_lock(&report->lock); /* never fails: it isn't ours already */
	if (report->errors++ == 0)
		report->status = status;
	print(report, file, line, report->errors, "", text);
	(void)pthread_mutex_unlock(&report->lock);
}

static void add_warning(struct report *report, const char *file, uint32_t line, const char *text)
{
	(void)pthread_mutex_lock(&report->lock); /* never fails: it isn't ours already */
	report->warnings++;
	print(report, file, line, report->warnings, "warning: ", text);
	(void)pthread_mutex_unlock(&report->lock);
}

void report_error(struct report *report, int status, const char *file, uint32_t line,
		  const char *format, ...)
{
	bool is_passed_over = report->is_lenient && status == EX_DATAERR && line != 0;
	char text[TEXT_BYTES];
	size_t size;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* may be cut */
	va_end(arguments);
	size = strlen(text);
	if (is_passed_over)
		(void)snprintf(text + size, sizeof(text) - size, " (passed over)"); /* likewise */
	if (is_passed_over || (report->is_optional && status != EX_OSERR))
		add_warning(report, file, line, text);
	else
		add_error(report, status, file, line, text);
}

void report_stop(struct report *report, int status, const char *file, uint32_t line,
		 const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* may be cut */
	va_end(arguments);
	add_error(report, status, file, line, text);
}

void report_forgive(struct report *report)
{
	(void)pthread_mutex_lock(&report->lock); /* never fails: it isn't ours already */
	report->errors = 0;
	report->status = 0;
	(void)pthread_mutex_unlock(&report->lock);
}

void report_warning(struct report *report, const char *file, uint32_t line, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* may be cut */
	va_end(arguments);
	add_warning(report, file, line, text);
}
