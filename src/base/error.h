/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error - one failure as one sentence that names the thing, and its exit status.
 *
 * Filled by the function that failed, printed once, at the top. No newline in it.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

struct error {
	int status; /* of sysexits(3): what a program would exit with */
	char text[1024];
};

/*
 * Fill ERR (which may be NULL). The value is false, so that a function can end with it; a macro, so
 * that the compiler sees it is. Where no value is wanted, use error_fill() and so on.
 */
#define error_set(err, status, ...) (error_fill(err, status, __VA_ARGS__), false)

/* The same, with ": " and the text of errno behind it. */
#define error_set_errno(err, status, ...) (error_fill_errno(err, status, __VA_ARGS__), false)

/* What errno NUMBER means; for strerror(), on any thread. */
const char *error_words(int number);

/* Out of memory: status 71. */
#define error_set_memory(err) (error_fill_memory(err), false)

void error_fill(struct error *err, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void error_fill_errno(struct error *err, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void error_fill_memory(struct error *err);

#endif
