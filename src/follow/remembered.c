/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/remembered.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buffer.h"
#include "base/file.h"
#include "follow/replace_text.h"

#define FIRST_LINE "rcptmap watch 1"
#define LAST_LINE  "end"

enum { TEXT_MAX = 1 << 26, MODE = 0600, NUMBERS = 6 };

static bool name_file(const char *table, char out_path[PATH_MAX])
{
	return snprintf(out_path, PATH_MAX, "%s.watched", table) < PATH_MAX;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* Failures are the buffer's. */
static void put_file(const struct watched_file *file, struct buffer *text)
{
	const struct file_identity *was = &file->compiled;

	(void)buffer_append_format(text, "%" PRIuMAX " %" PRIdMAX " %" PRIdMAX " %ld",
				   (uintmax_t)was->inode, (intmax_t)was->size,
				   (intmax_t)was->modified.tv_sec, was->modified.tv_nsec);
	(void)buffer_append_format(text, " %" PRIdMAX " %ld %s\n", (intmax_t)was->changed.tv_sec,
				   was->changed.tv_nsec, file->path);
}

bool remembered_write(const char *table, const struct watched *watched, struct error *err)
{
	char path[PATH_MAX];
	struct buffer text;
	bool is_done;

	if (!name_file(table, path))
		return error_set(err, EX_CANTCREAT, "%s: the path is too long", table);
	buffer_init(&text, TEXT_MAX);
	(void)buffer_append_text(&text, FIRST_LINE "\n"); /* replace_text() asks */
	for (size_t i = 0; i < watched->count; i++)
		put_file(&watched->files[i], &text);
	(void)buffer_append_text(&text, LAST_LINE "\n");
	is_done = replace_text(path, &text, MODE, err);
	buffer_free(&text);
	return is_done;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool take_number(const char **text, intmax_t *out_number)
{
	char *end;

	*out_number = strtoimax(*text, &end, 10);
	if (end == *text || *end != ' ')
		return false;
	*text = end + 1;
	return true;
}

static bool take_line(const char *line, struct watched *watched)
{
	struct file_identity was = { 0 };
	struct file_identity now = { 0 };
	intmax_t numbers[NUMBERS];
	uintmax_t inode;
	char *end;

	inode = strtoumax(line, &end, 10);
	if (end == line || *end != ' ')
		return false;
	line = end + 1;
	for (size_t i = 1; i < NUMBERS; i++)
		if (!take_number(&line, &numbers[i]))
			return false;
	was.inode = (ino_t)inode;
	was.size = (off_t)numbers[1];
	was.modified =
		(struct timespec){ .tv_sec = (time_t)numbers[2], .tv_nsec = (long)numbers[3] };
	was.changed =
		(struct timespec){ .tv_sec = (time_t)numbers[4], .tv_nsec = (long)numbers[5] };
	(void)file_identity_get(line, &now); /* else all is 0, as of one that wasn't there */
	was.device = now.device;
	if (!watched_add(watched, line))
		return false;
	watched_took(watched, line, &was);
	return true;
}

/* A path with a newline in it makes lines that aren't understood: then nothing is. */
static bool take_lines(FILE *stream, struct watched *watched)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t size;
	bool is_first = true;
	bool is_sound = true;
	bool is_end = false;

	while (is_sound && !is_end && (size = getline(&line, &room, stream)) > 0) {
		line[size - 1] = '\0';
		is_end = strcmp(line, LAST_LINE) == 0;
		if (is_first)
			is_sound = strcmp(line, FIRST_LINE) == 0;
		else if (!is_end)
			is_sound = take_line(line, watched);
		is_first = false;
	}
	free(line);
	return is_sound && is_end;
}

bool remembered_read(const char *table, const char *configuration, struct watched *watched)
{
	char path[PATH_MAX];
	FILE *stream;
	bool is_read;

	if (!name_file(table, path) || (stream = fopen(path, "re")) == NULL)
		return false;
	is_read = take_lines(stream, watched) && watched_has(watched, configuration);
	(void)fclose(stream); /* was only read */
	if (!is_read)
		watched_free(watched);
	return is_read;
}
