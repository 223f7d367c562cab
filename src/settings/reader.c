/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/trust.h"

void reader_complain(struct reader *reader, const char *file, unsigned line, const char *format,
		     ...)
{
	struct error text;
	struct error full;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text.text, sizeof(text.text), format, arguments); /* may be cut */
	va_end(arguments);
	if (file == NULL)
		file = reader->path;
	error_fill(&full, EX_CONFIG, "%s:%u: %s", file, line, text.text);
	reader_complain_error(reader, &full);
}

void reader_complain_error(struct reader *reader, const struct error *error)
{
	if (reader->on_error != NULL)
		reader->on_error(error->text, reader->context);
	if (reader->err != NULL)
		*reader->err = *error;
	reader->has_failed = true;
}

void reader_complain_memory(struct reader *reader)
{
	error_fill_memory(reader->err);
	if (reader->on_error != NULL)
		reader->on_error("out of memory", reader->context);
	reader->has_failed = true;
}

bool reader_may_trust(const char *path, const struct stat *status, struct error *err)
{
	return trust_check(path, status, &trust_in_configuration, err) &&
	       trust_check_folder_of(path, err);
}

FILE *reader_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	FILE *stream = NULL;

	if (fd < 0) {
		int exit_status = errno == ENOENT || errno == ENOTDIR ? EX_NOINPUT : EX_NOPERM;

		error_fill_errno(err, exit_status, "%s", path);
		return NULL;
	}
	if (fstat(fd, &status) != 0)
		error_fill_errno(err, EX_OSERR, "%s", path);
	else if (reader_may_trust(path, &status, err)) {
		stream = fdopen(fd, "r");
		if (stream == NULL)
			error_fill_memory(err);
	}
	if (stream == NULL)
		(void)close(fd); /* nothing was written */
	return stream;
}
