/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/known_warnings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"

enum {
	MARKS_MAX = 50000, /* far more than anybody reads */
	FILE_BYTES_MAX = 1 << 20,
	MARK_DIGITS = 16,
	FILE_MODE = 0640, /* as the table: it tells who is in it no more than that does */
};

#define HEADER "openrcpt warnings 1 %016" PRIx64 "\n"
#define SUFFIX ".warnings"

void known_warnings_init(struct known_warnings *known)
{
	buffer_init(&known->marks, MARKS_MAX * sizeof(uint64_t));
	buffer_init(&known->kept, MARKS_MAX * sizeof(uint64_t));
}

void known_warnings_free(struct known_warnings *known)
{
	buffer_free(&known->marks);
	buffer_free(&known->kept);
}

uint64_t known_warnings_mark(enum warning warning, const char *file, uint32_t line,
			     const char *text)
{
	uint64_t mark = hash_key(bytes_of(warning_name(warning)), 0);

	if (!warning_names_subject(warning))
		mark = hash_key(bytes_make(&line, sizeof(line)), mark);
	mark = hash_key(bytes_of(file == NULL ? "" : file), mark);
	return hash_key(bytes_of(text), mark);
}

static int by_number(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left;
	const uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static size_t count_of(const struct buffer *marks)
{
	return marks->size / sizeof(uint64_t);
}

static void sort(struct buffer *marks)
{
	if (marks->size > 0)
		qsort(marks->data, count_of(marks), sizeof(uint64_t), by_number);
}

bool known_warnings_find(const struct known_warnings *known, uint64_t mark)
{
	return known->marks.size > 0 && bsearch(&mark, known->marks.data, count_of(&known->marks),
						sizeof(mark), by_number) != NULL;
}

void known_warnings_keep(struct known_warnings *known, uint64_t mark)
{
	/* One for which there is no room is told again. */
	(void)buffer_append(&known->kept, bytes_make(&mark, sizeof(mark)));
}

/* ---- the file ---------------------------------------------------------------------------- */

static bool name_file(const char *path, char out_name[PATH_MAX])
{
	int size = snprintf(out_name, PATH_MAX, "%s" SUFFIX, path);

	return size > 0 && size < PATH_MAX;
}

/* As base/file names what it writes beside PATH: so the next writer of that removes what one that
 * was killed has left. */
static bool name_temporary(const char *path, char out_name[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int folder_size = slash == NULL ? 0 : (int)(slash + 1 - path);
	int size = snprintf(out_name, PATH_MAX, "%.*s.%s.000000000000.tmp", folder_size, path,
			    path + folder_size);

	return size > 0 && size < PATH_MAX;
}

/* A line of hexadecimal digits. False: it is none. */
static bool take_mark(struct bytes *text, uint64_t *out_mark)
{
	uint64_t mark = 0;

	if (text->size < MARK_DIGITS + 1 || text->data[MARK_DIGITS] != '\n')
		return false;
	for (size_t i = 0; i < MARK_DIGITS; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = memchr(digits, text->data[i], sizeof(digits) - 1);

		if (digit == NULL)
			return false;
		mark = mark << 4 | (uint64_t)(digit - digits);
	}
	*text = bytes_make(text->data + MARK_DIGITS + 1, text->size - MARK_DIGITS - 1);
	*out_mark = mark;
	return true;
}

static void take_marks(struct known_warnings *known, struct bytes text, uint64_t checksum)
{
	char header[64];
	struct bytes begin;
	uint64_t mark;

	(void)snprintf(header, sizeof(header), HEADER, checksum); /* is shorter */
	begin = bytes_of(header);
	if (text.size < begin.size || memcmp(text.data, begin.data, begin.size) != 0)
		return;
	text = bytes_make(text.data + begin.size, text.size - begin.size);
	while (take_mark(&text, &mark))
		if (!buffer_append(&known->marks, bytes_make(&mark, sizeof(mark))))
			return;
}

void known_warnings_load(struct known_warnings *known, const char *path, uint64_t checksum)
{
	const struct file_limits limits = {
		.least_bytes = 1,
		.most_bytes = FILE_BYTES_MAX,
		.also_owner = TRUST_NOBODY,
	};
	char name[PATH_MAX];
	struct file_copy copy;
	struct error ignored; /* nothing is known, then */

	if (!name_file(path, name) || !file_copy_load(name, &limits, &copy, &ignored))
		return;
	take_marks(known, copy.bytes, checksum);
	file_copy_free(&copy);
	sort(&known->marks);
}

static bool write_marks(int fd, const struct buffer *kept, uint64_t checksum)
{
	const uint64_t *marks = (const uint64_t *)(const void *)kept->data;
	struct buffer text;
	bool is_written;

	buffer_init(&text, SIZE_MAX / 4);
	(void)buffer_append_format(&text, HEADER, checksum); /* asked below */
	for (size_t i = 0; i < count_of(kept); i++)
		if (i == 0 || marks[i] != marks[i - 1])
			(void)buffer_append_format(&text, "%016" PRIx64 "\n", marks[i]);
	is_written = !text.has_failed && file_write_all(fd, buffer_bytes(&text));
	buffer_free(&text);
	return is_written;
}

/* Not synced: a file that a power cut has emptied is as none. */
void known_warnings_save(struct known_warnings *known, const char *path, uint64_t checksum)
{
	char name[PATH_MAX], temporary[PATH_MAX];
	bool is_written;
	int fd;

	if (!name_file(path, name) || !name_temporary(path, temporary))
		return;
	if (known->kept.size == 0) {
		(void)unlink(name); /* is of another table, or there is none */
		return;
	}
	sort(&known->kept);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return;
	is_written = write_marks(fd, &known->kept, checksum);
	is_written &= close(fd) == 0;
	if (!is_written || rename(temporary, name) != 0)
		(void)unlink(temporary); /* what is left harms nobody */
}
