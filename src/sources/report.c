/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/report.h"

#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

#include "base/hash.h"
#include "mail/address.h"
#include "table/table.h"

enum { PRINTED_MAX = 100, TEXT_BYTES = 4096, SUBJECT_BYTES = 2000 };

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

static void print_known(const struct report *report)
{
	size_t count = report->repeats_known ? 0 : report->known_count;

	if (count > 0)
		(void)fprintf(report->stream, "rcptmap: %zu known warning%s; -v shows %s\n", count,
			      count == 1 ? "" : "s", count == 1 ? "it" : "them");
}

void report_end(struct report *report)
{
	(void)pthread_mutex_lock(&report->lock); /* never fails: it isn't ours already */
	if (!report->choice.are_silent) {
		print_rest(report, report->warnings - report->known_count, "warning");
		print_known(report);
	}
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

static void print_subject(struct bytes subject, FILE *stream)
{
	struct buffer shown;

	buffer_init(&shown, (size_t)2 * SUBJECT_BYTES);
	(void)address_escape(subject, true, &shown); /* else it isn't told */
	(void)fprintf(stream, " " BYTES_FORMAT, BYTES_ARGS(buffer_bytes(&shown)));
	buffer_free(&shown);
}

/* COUNT is of this kind of message so far, with this one. NAME: of the class, or NULL. Caller holds
 * the lock. */
static void print(const struct report *report, const char *file, uint32_t line, size_t count,
		  const char *kind, const char *text, const char *name)
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
	if (file != NULL) {
		char place[TABLE_PLACE_BYTES];

		table_place_line(bytes_of(file), line, place);
		(void)fputs(place, stream);
	}
	if (file != NULL && line == 0 && report->subject.size > 0)
		print_subject(report->subject, stream);
	(void)fprintf(stream, ": %s", kind);
	print_escaped(text, stream);
	if (name != NULL)
		(void)fprintf(stream, " [%s]", name);
	(void)putc('\n', stream);
}

static void add_error(struct report *report, int status, const char *file, uint32_t line,
		      const char *text)
{
	(void)pthread_mutex_lock(&report->lock); /* never fails: it isn't ours already */
	if (report->errors++ == 0)
		report->status = status;
	print(report, file, line, report->errors, "", text, NULL);
	(void)pthread_mutex_unlock(&report->lock);
}

/* Caller holds the lock. False: it is to be printed. */
static bool pass_known(struct report *report, uint64_t mark)
{
	if (report->known == NULL || !known_warnings_find(report->known, mark))
		return false;
	known_warnings_keep(report->known, mark);
	report->known_count += !report->repeats_known;
	return !report->repeats_known;
}

static void add_warning(struct report *report, enum warning warning, const char *file,
			uint32_t line, const char *text)
{
	uint64_t mark;

	if (report->choice.is_off[warning])
		return;
	mark = known_warnings_mark(warning, file, line, text);
	if (line == 0 && report->subject.size > 0)
		mark = hash_key(report->subject, mark);
	(void)pthread_mutex_lock(&report->lock); /* never fails: it isn't ours already */
	report->warnings++;
	if (!pass_known(report, mark) && !report->choice.are_silent) {
		print(report, file, line, ++report->printed, "warning: ", text,
		      warning_name(warning));
		/* What nobody could read is told the next time. */
		if (report->known != NULL && report->printed <= PRINTED_MAX)
			known_warnings_keep(report->known, mark);
	}
	(void)pthread_mutex_unlock(&report->lock);
}

void report_error(struct report *report, int status, const char *file, uint32_t line,
		  const char *format, ...)
{
	bool is_passed_over = report->is_lenient && status == EX_DATAERR &&
			      (line != 0 || report->subject.size > 0);
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
		add_warning(report, is_passed_over ? WARNING_LENIENT : WARNING_LEFT_TO_MTA, file,
			    line, text);
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

void report_note(struct report *report, const char *file, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* may be cut */
	va_end(arguments);
	(void)pthread_mutex_lock(&report->lock); /* never fails: it isn't ours already */
	print(report, file, 0, 0, "note: ", text, NULL);
	(void)pthread_mutex_unlock(&report->lock);
}

void report_warning(struct report *report, enum warning warning, const char *file, uint32_t line,
		    const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* may be cut */
	va_end(arguments);
	add_warning(report, warning, file, line, text);
}
