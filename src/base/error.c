/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

bool error_set(struct error *err, int status, const char *format, ...)
{
	va_list arguments;

	if (err == NULL)
		return false;
	err->status = status;
	va_start(arguments, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, arguments); /* may be cut */
	va_end(arguments);
	return false;
}

bool error_set_errno(struct error *err, int status, const char *format, ...)
{
	int number = errno;
	va_list arguments;
	size_t size;

	if (err == NULL)
		return false;
	err->status = status;
	va_start(arguments, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, arguments); /* may be cut */
	va_end(arguments);
	size = strlen(err->text);
	(void)snprintf(err->text + size, sizeof(err->text) - size, ": %s", strerror(number));
	return false;
}

bool error_set_memory(struct error *err)
{
	return error_set(err, EX_OSERR, "out of memory");
}
