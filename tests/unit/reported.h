/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reported - a report whose messages are a text, to be looked at.
 */
#ifndef TESTS_UNIT_REPORTED_H
#define TESTS_UNIT_REPORTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sources/report.h"

struct reported {
	struct report report;
	char *text;
	size_t size;
	size_t seen; /* of text */
};

static inline void reported_begin(struct reported *reported)
{
	FILE *stream;

	*reported = (struct reported){ .seen = 0 };
	stream = open_memstream(&reported->text, &reported->size);
	assert_non_null(stream);
	report_init(&reported->report, stream);
}

static inline void reported_end(struct reported *reported)
{
	assert_int_equal(fclose(reported->report.stream), 0);
	free(reported->text);
	report_free(&reported->report);
}

/* What was reported since the last time. */
static inline const char *reported_since(struct reported *reported)
{
	const char *text;

	assert_int_equal(fflush(reported->report.stream), 0);
	text = reported->text + reported->seen;
	reported->seen = reported->size;
	return text;
}

#define assert_reported(reported, expected) assert_string_equal(reported_since(reported), expected)

#endif
