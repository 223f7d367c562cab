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
	int status;		/* of sysexits(3): what a program would exit with */
	char text[1024];
};

/* Fill ERR (which may be NULL) and return false, so that a function can end with it. */
bool error_set(struct error *err, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, with ": " and the text of errno behind it. */
bool error_set_errno(struct error *err, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Out of memory: status 71. */
bool error_set_memory(struct error *err);

#endif
