/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

const char *error_words(int number)
{
	/* POSIX does not promise it, but glibc since 2.32, musl and the BSDs keep threads apart. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): see above */
	return strerror(number);
}

void error_fill(struct error *err, int status, const char *format, ...)
{
	va_list arguments;

	if (err == NULL)
		return;
	err->status = status;
	va_start(arguments, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, arguments); /* may be cut */
	va_end(arguments);
}

void error_fill_errno(struct error *err, int status, const char *format, ...)
{
	int number = errno;
	va_list arguments;
	size_t size;

	if (err == NULL)
		return;
	err->status = status;
	va_start(arguments, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, arguments); /* may be cut */
	va_end(arguments);
	size = strlen(err->text);
	(void)snprintf(err->text + size, sizeof(err->text) - size, ": %s", error_words(number));
}

void error_fill_memory(struct error *err)
{
	error_fill(err, EX_OSERR, "out of memory");
}
