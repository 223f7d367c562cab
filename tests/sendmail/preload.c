/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a Sendmail that tests start: the machine has a qualified name, whatever it is
 * called (or Sendmail sleeps for a minute first), and the log goes to standard error.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int gethostname(char *name, size_t size);
void __syslog_chk(int priority, int flag, const char *format, ...);

int gethostname(char *name, size_t size)
{
	return snprintf(name, size, "mx.test.example") < (int)size ? 0 : -1;
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	char line[4096];
	va_list arguments;

	(void)priority;
	(void)flag;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments); /* cut is good enough */
	va_end(arguments);
	line[strcspn(line, "\n")] = '\0';
	(void)fprintf(stderr, "%s\n", line); /* a log that can't be written has no reader */
}
