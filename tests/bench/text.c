/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

noreturn void text_fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

struct bytes text_read_file(const char *path)
{
	struct stat status;
	void *map;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) != 0)
		text_fail(path, strerror(errno));
	if (status.st_size == 0)
		text_fail(path, "empty");
	map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		text_fail(path, strerror(errno));
	(void)close(fd); /* only read */
	return bytes_make(map, (size_t)status.st_size);
}

static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room == 0 ? 65536 : *room * 2;
	array = realloc(array, *room * size);
	if (array == NULL)
		text_fail("realloc", "no memory");
	return array;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct bytes next_line(struct bytes *rest)
{
	size_t size = bytes_index(*rest, '\n');
	struct bytes line = bytes_first(*rest, size);

	*rest = bytes_skip(*rest, size + 1);
	return line;
}

static struct bytes strip_begin(struct bytes line)
{
	while (line.size > 0 && is_blank(*line.data))
		line = bytes_skip(line, 1);
	return line;
}

/* Copy LINE and the continuations behind it to OUT: key, NUL, value, NUL. */
static char *copy_entry(struct bytes line, struct bytes *rest, char *out,
			struct text_entry *out_entry)
{
	char *begin = out;

	while (line.size > 0 && !is_blank(*line.data)) {
		*out++ = byte_to_lower(*line.data);
		line = bytes_skip(line, 1);
	}
	out_entry->key = bytes_make(begin, (size_t)(out - begin));
	*out++ = '\0';
	begin = out;
	for (;;) {
		line = strip_begin(line);
		memcpy(out, line.data, line.size);
		out += line.size;
		if (rest->size == 0 || !is_blank(*rest->data))
			break;
		line = next_line(rest);
		*out++ = ' ';
	}
	out_entry->value = bytes_make(begin, (size_t)(out - begin));
	*out++ = '\0';
	return out;
}

struct text_table text_read_table(const char *path)
{
	struct bytes file = text_read_file(path);
	struct bytes rest = file;
	struct text_table table = { .count = 0 };
	size_t room = 0;
	/* Key and value lose a separator and a line feed and get two NULs. */
	char *out = malloc(file.size + 16);

	if (out == NULL)
		text_fail(path, "no memory");
	while (rest.size > 0) {
		struct bytes line = next_line(&rest);

		if (line.size == 0 || *line.data == '#')
			continue;
		table.entries = grow(table.entries, table.count, &room, sizeof(*table.entries));
		out = copy_entry(line, &rest, out, &table.entries[table.count++]);
	}
	(void)munmap((void *)(uintptr_t)file.data, file.size); /* frees memory only */
	return table;
}

struct text_lines text_read_lines(const char *path)
{
	struct text_lines lines = { .file = text_read_file(path) };
	struct bytes rest = lines.file;
	size_t room = 0;

	while (rest.size > 0) {
		lines.lines = grow(lines.lines, lines.count, &room, sizeof(*lines.lines));
		lines.lines[lines.count++] = next_line(&rest);
	}
	return lines;
}

void text_free_lines(struct text_lines *lines)
{
	free(lines->lines);
	(void)munmap((void *)(uintptr_t)lines->file.data, lines->file.size); /* only memory */
}
