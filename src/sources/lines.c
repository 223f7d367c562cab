/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/trust.h"
#include "sources/advice.h"

enum {
	FIRST_ROOM = 256 * 1024,
	LINE_MAX_BYTES = 16 * 1024 * 1024,
};

/* Some editors put it in front of a file. It is no part of the first line. */
static const char byte_order_mark[] = "\xEF\xBB\xBF";
enum { MARK_BYTES = sizeof(byte_order_mark) - 1 };

struct lines {
	int fd;
	const char *path;
	enum lines_form form;
	struct report *report;
	struct stat status; /* when it was opened */

	/* Bytes of the file from `start` on; all that follow are offsets into data. */
	char *data;
	size_t room;
	size_t start;    /* of the logical line being made */
	size_t stop;     /* of it, so far */
	size_t at;       /* of the next physical line */
	size_t end;      /* of what was read */
	uint32_t number; /* of the line at `at` */
	bool has_ended;
	bool is_at_begin; /* nothing was read yet */
	bool has_nul;     /* a NUL somewhere in data: worth a look at each line */
};

/* ---- opening ------------------------------------------------------------------------------ */

static bool check_folder(const char *path, struct report *report)
{
	struct error err;

	if (trust_check_folder_of(path, &err))
		return true;
	report_error(report, err.status, NULL, 0, "%s", err.text);
	return false;
}

/* That a group may write it is common, and was the administrator's choice: a warning. */
static bool check_status(const char *path, const struct stat *status, struct report *report)
{
	enum trust_fault fault = trust_judge(status, &trust_in_source);
	char text[TRUST_TEXT_BYTES];

	if (fault == TRUST_NO_FAULT)
		return true;
	trust_describe(fault, status, &trust_in_source, text);
	if (fault == TRUST_GROUP_WRITES) {
		report_warning(report, WARNING_GROUP_WRITES, path, 0, "%s", text);
		return true;
	}
	report_error(report, fault == TRUST_NOT_REGULAR ? EX_NOINPUT : trust_in_source.exit_status,
		     path, 0, "%s", text);
	return false;
}

bool lines_trust(const char *path, const struct stat *status, struct report *report)
{
	return check_status(path, status, report) && check_folder(path, report);
}

static int open_file(const char *path, struct report *report)
{
	/* Without O_NONBLOCK opening a fifo would wait for somebody to write into it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		int status = errno == ENOENT || errno == ENOTDIR ? EX_NOINPUT : EX_NOPERM;

		report_error(report, status, path, 0, "%s", error_words(errno));
	}
	return fd;
}

/* What postmap or rcptmap made of a text is one complaint, not one a line. */
static bool check_text(const struct lines *lines)
{
	char head[ADVICE_HEAD_BYTES];
	ssize_t size = pread(lines->fd, head, sizeof(head), 0);
	const char *kind;

	if (size <= 0)
		return true; /* reading it will say why */
	kind = advice_compiled_kind(bytes_make(head, (size_t)size),
				    (uint64_t)lines->status.st_size);
	if (kind == NULL)
		return true;
	report_error(lines->report, EX_DATAERR, lines->path, 0,
		     "is a compiled table (%s); a source is the text that it was made from", kind);
	return false;
}

struct lines *lines_open(const char *path, enum lines_form form, struct report *report)
{
	struct lines *lines;

	lines = calloc(1, sizeof(*lines));
	if (lines != NULL)
		lines->data = malloc(FIRST_ROOM);
	if (lines == NULL || lines->data == NULL) {
		report_error(report, EX_OSERR, path, 0, "out of memory");
		free(lines);
		return NULL;
	}
	lines->path = path;
	lines->form = form;
	lines->report = report;
	lines->room = FIRST_ROOM;
	lines->number = 1;
	lines->is_at_begin = true;
	lines->fd = open_file(path, report);
	if (lines->fd < 0)
		goto out;
	if (fstat(lines->fd, &lines->status) != 0) {
		report_error(report, EX_OSERR, path, 0, "%s", error_words(errno));
		goto out;
	}
	if (report->on_file != NULL)
		report->on_file(path, &lines->status, report->on_file_context);
	if (lines_trust(path, &lines->status, report) && check_text(lines))
		return lines;
out:
	lines_close(lines);
	return NULL;
}

void lines_close(struct lines *lines)
{
	if (lines == NULL)
		return;
	if (lines->fd >= 0)
		(void)close(lines->fd); /* was only read */
	free(lines->data);
	free(lines);
}

const struct stat *lines_status(const struct lines *lines)
{
	return &lines->status;
}

/* ---- blocks ------------------------------------------------------------------------------- */

/* Move what is still needed to the front, and double the room if that doesn't help. */
static bool make_room(struct lines *lines)
{
	size_t kept = lines->end - lines->start;
	size_t room = lines->room;
	char *data;

	if (lines->start > 0) {
		memmove(lines->data, lines->data + lines->start, kept);
		lines->stop -= lines->start;
		lines->at -= lines->start;
		lines->end = kept;
		lines->start = 0;
	}
	if (kept < room / 2)
		return true;
	if (kept > LINE_MAX_BYTES) {
		report_stop(lines->report, EX_DATAERR, lines->path, lines->number,
			    "the line is longer than %d bytes", LINE_MAX_BYTES);
		return false;
	}
	data = realloc(lines->data, room * 2);
	if (data == NULL) {
		report_error(lines->report, EX_OSERR, lines->path, 0, "out of memory");
		return false;
	}
	lines->data = data;
	lines->room = room * 2;
	return true;
}

/* Read more behind `end`, or learn that there is none. */
static bool fill(struct lines *lines)
{
	ssize_t got;

	if (!make_room(lines))
		return false;
	do {
		got = read(lines->fd, lines->data + lines->end, lines->room - lines->end);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		report_error(lines->report, EX_IOERR, lines->path, 0, "%s", error_words(errno));
		return false;
	}
	lines->has_ended = got == 0;
	if (lines->is_at_begin) {
		lines->is_at_begin = false;
		if (got >= MARK_BYTES && memcmp(lines->data, byte_order_mark, MARK_BYTES) == 0)
			lines->at = lines->start = lines->stop = MARK_BYTES;
	}
	if (memchr(lines->data + lines->end, '\0', (size_t)got) != NULL)
		lines->has_nul = true;
	lines->end += (size_t)got;
	return true;
}

/*
 * Find the physical line that begins at `at`: its size without the newline, and whether there is
 * one at all. At most `end` moves, or all offsets together.
 */
static enum lines_step find_physical(struct lines *lines, size_t *out_size)
{
	for (;;) {
		const char *begin = lines->data + lines->at;
		size_t size = lines->end - lines->at;
		const char *newline = size == 0 ? NULL : memchr(begin, '\n', size);

		if (newline != NULL) {
			*out_size = (size_t)(newline - begin);
			return LINES_LINE;
		}
		if (lines->has_ended) {
			*out_size = size;
			return size == 0 ? LINES_END : LINES_LINE;
		}
		if (!fill(lines))
			return LINES_FAILED;
	}
}

/* Go on behind the physical line of SIZE at `at`. */
static void pass(struct lines *lines, size_t size)
{
	lines->at += size;
	if (lines->at < lines->end)
		lines->at++;
	lines->number++;
}

/* ---- logical lines ------------------------------------------------------------------------- */

/* Blank, or a comment? */
static bool vanishes(const char *line, size_t size)
{
	size_t i = 0;

	while (i < size && byte_is_white(line[i]))
		i++;
	return i == size || line[i] == '#';
}

/* Add the lines that continue the one from `start` to `stop`, and pass over what vanishes. */
static enum lines_step join_continuation(struct lines *lines)
{
	for (;;) {
		size_t size;
		char first;

		if (lines->at == lines->end && !lines->has_ended && !fill(lines))
			return LINES_FAILED;
		if (lines->at == lines->end)
			return LINES_LINE;
		first = lines->data[lines->at];
		if (!byte_is_white(first) && first != '#')
			return LINES_LINE;
		if (find_physical(lines, &size) == LINES_FAILED)
			return LINES_FAILED;
		if (!vanishes(lines->data + lines->at, size)) {
			memmove(lines->data + lines->stop, lines->data + lines->at, size);
			lines->stop += size;
		}
		pass(lines, size);
	}
}

/* Find the first physical line that doesn't vanish; it becomes `start` to `stop`. */
static enum lines_step begin_line(struct lines *lines)
{
	for (;;) {
		enum lines_step step;
		size_t size;

		lines->start = lines->at;
		lines->stop = lines->at;
		step = find_physical(lines, &size);
		if (step != LINES_LINE)
			return step;
		lines->stop = lines->start + size;
		pass(lines, size);
		if (!vanishes(lines->data + lines->start, size))
			return LINES_LINE;
	}
}

static enum lines_step end_of_file(const struct lines *lines)
{
	struct file_identity before, after;
	struct stat status;

	if (fstat(lines->fd, &status) != 0) {
		report_error(lines->report, EX_OSERR, lines->path, 0, "%s", error_words(errno));
		return LINES_FAILED;
	}
	file_identity_of(&lines->status, &before);
	file_identity_of(&status, &after);
	if (file_identity_equal(&before, &after))
		return LINES_END;
	report_error(lines->report, EX_TEMPFAIL, lines->path, 0, "changed while it was read");
	return LINES_FAILED;
}

/* Is the line one that can be handed out? Otherwise it is reported. */
static bool check_line(const struct lines *lines, uint32_t number)
{
	const char *line = lines->data + lines->start;

	if (lines->form == LINES_LOGICAL && byte_is_white(line[0])) {
		report_error(lines->report, EX_DATAERR, lines->path, number,
			     "begins with white space, but continues no line");
		return false;
	}
	if (lines->has_nul && memchr(line, '\0', lines->stop - lines->start) != NULL) {
		report_error(lines->report, EX_DATAERR, lines->path, number, "has a NUL byte");
		return false;
	}
	return true;
}

/* A line that is whole, and nothing but a line: what nearly all are. False: look closer. */
static bool next_simple(struct lines *lines, struct bytes *out_line, uint32_t *out_number)
{
	const char *begin = lines->data + lines->at;
	const char *end = lines->data + lines->end;
	const char *newline;

	if (begin == end || byte_is_white(*begin) || *begin == '#' || lines->has_nul)
		return false;
	newline = memchr(begin, '\n', (size_t)(end - begin));
	/* The first byte behind it tells whether there is a continuation. */
	if (newline == NULL || newline + 1 == end ||
	    (lines->form == LINES_LOGICAL && (byte_is_white(newline[1]) || newline[1] == '#')))
		return false;
	lines->start = lines->at;
	lines->stop = (size_t)(newline - lines->data);
	lines->at = lines->stop + 1;
	*out_line = bytes_make(begin, (size_t)(newline - begin));
	*out_number = lines->number++;
	return true;
}

enum lines_step lines_next(struct lines *lines, struct bytes *out_line, uint32_t *out_number)
{
	if (next_simple(lines, out_line, out_number))
		return LINES_LINE;
	for (;;) {
		enum lines_step step = begin_line(lines);
		uint32_t number = lines->number - 1;

		if (step == LINES_LINE && lines->form == LINES_LOGICAL)
			step = join_continuation(lines);
		if (step == LINES_END)
			return end_of_file(lines);
		if (step == LINES_FAILED)
			return LINES_FAILED;
		if (!check_line(lines, number))
			continue;
		*out_line = bytes_make(lines->data + lines->start, lines->stop - lines->start);
		*out_number = number;
		return LINES_LINE;
	}
}
