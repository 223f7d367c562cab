/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - what a compilation has to say: errors and warnings, `file:line: text`, up to 100 of each
 * printed, all of them counted.
 *
 * Sorting by line is left to the order in which they are found. Printed to stderr as they come.
 * Thread-safe, since the proof runs on two cores.
 */
#ifndef SOURCES_REPORT_H
#define SOURCES_REPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "sources/known_warnings.h"
#include "sources/warnings.h"

struct mirrors;

struct report {
	FILE *stream;
	size_t errors;
	size_t warnings; /* but those that are off */
	size_t printed;  /* of them */
	int status;      /* what the first error wants as exit status; 0: no error */
	/* --lenient: a line that is wrong is passed over with a warning, as postmap does. */
	bool is_lenient;
	/* The key of the row at hand, where it has no line to be found by; else empty. Set by who
	 * reads rows, while nobody else reports. Borrowed. */
	struct bytes subject;
	/* What is neither wrong nor doubtful is told, too: report_note(). */
	bool has_notes;
	/* What is looked at now can be done without: WARNING_LEFT_TO_MTA, except for want of
	 * memory. */
	bool is_optional;
	struct warning_choice choice;
	/* What was told before is only counted, unless it is to be told again; what is told is
	 * kept. NULL: all is told. Borrowed. */
	struct known_warnings *known;
	bool repeats_known;
	size_t known_count;
	/* Called with each file that is opened to be read; NULL: nobody wants to know. */
	void (*on_file)(const char *path, const struct stat *status, void *context);
	void *on_file_context;
	/* Copies of directories, for who reads these (mirror/mirror.h); NULL: there are none. */
	const struct mirrors *mirrors;
	pthread_mutex_t lock;
};

void report_init(struct report *report, FILE *stream);
void report_free(struct report *report);

/* All is said: how many of each are there beside those that were printed? */
void report_end(struct report *report);

/*
 * `FILE:LINE: TEXT` (LINE 0: `FILE: TEXT`; FILE NULL: `rcptmap: TEXT`). STATUS of sysexits(3); with
 * EX_DATAERR and a LINE, or a subject, it is about this line alone, which the caller passes over:
 * of a lenient report that is a warning (WARNING_LENIENT), and says so.
 */
void report_error(struct report *report, int status, const char *file, uint32_t line,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same where the caller does not go on: always an error. */
void report_stop(struct report *report, int status, const char *file, uint32_t line,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* What went wrong is tried again: no error counts any more. */
void report_forgive(struct report *report);

/* `FILE:LINE: warning: TEXT [NAME]`, unless this class of warnings is off. */
void report_warning(struct report *report, enum warning warning, const char *file, uint32_t line,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* `FILE: note: TEXT`. Who wants it only where the report has notes looks there first. */
void report_note(struct report *report, const char *file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
