/* SPDX-License-Identifier: BSD-2-Clause */
#include "publish/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/trust.h"

enum { DIGITS_MAX = 19, ROOM_FIRST = 16 };

/* The number behind `NAME.`; 0: ENTRY isn't called so. */
static uint64_t generation_of(const char *entry, const char *name)
{
	size_t size = strlen(name);
	const char *digits;

	if (strncmp(entry, name, size) != 0 || entry[size] != '.')
		return 0;
	digits = entry + size + 1;
	size = strlen(digits);
	if (size == 0 || size > DIGITS_MAX || digits[0] == '0' ||
	    strspn(digits, "0123456789") != size)
		return 0;
	return strtoull(digits, NULL, 10);
}

static bool add(struct kept_tables *kept, size_t *room, uint64_t generation)
{
	if (kept->count == *room) {
		size_t more = *room == 0 ? ROOM_FIRST : *room * 2;
		uint64_t *grown = reallocarray(kept->generations, more, sizeof(*kept->generations));

		if (grown == NULL)
			return false;
		kept->generations = grown;
		*room = more;
	}
	kept->generations[kept->count++] = generation;
	return true;
}

static int newest_first(const void *left, const void *right)
{
	const uint64_t *a = left;
	const uint64_t *b = right;

	return (*a < *b) - (*a > *b);
}

static bool read_names(const char *table, const char *name, DIR *directory,
		       struct kept_tables *kept, struct error *err)
{
	struct dirent *entry;
	size_t room = 0;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this directory open */
	while (errno = 0, (entry = readdir(directory)) != NULL) {
		uint64_t generation = generation_of(entry->d_name, name);

		if (generation != 0 && !add(kept, &room, generation))
			return error_set_memory(err);
	}
	if (errno != 0)
		return error_set_errno(err, EX_OSERR, "%s: reading its directory", table);
	if (kept->count > 0)
		qsort(kept->generations, kept->count, sizeof(*kept->generations), newest_first);
	return true;
}

bool kept_list(const char *table, struct kept_tables *out_kept, struct error *err)
{
	struct kept_tables kept = { 0 };
	const char *name;
	int fd = trust_open_folder(table, O_RDONLY, &name);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	bool is_read;

	if (directory == NULL) {
		error_fill_errno(err, errno == EACCES ? EX_NOPERM : EX_NOINPUT, "%s: its directory",
				 table);
		if (fd >= 0)
			(void)close(fd); /* was only read */
		return false;
	}
	is_read = read_names(table, name, directory, &kept, err);
	(void)closedir(directory); /* was only read */
	if (is_read)
		*out_kept = kept;
	else
		kept_free(&kept);
	return is_read;
}

void kept_free(struct kept_tables *kept)
{
	free(kept->generations);
	*kept = (struct kept_tables){ 0 };
}

bool kept_newest(const char *table, uint64_t *out_generation, struct error *err)
{
	struct kept_tables kept;

	if (!kept_list(table, &kept, err))
		return false;
	*out_generation = kept.count == 0 ? 0 : kept.generations[0];
	kept_free(&kept);
	return true;
}

uint64_t kept_next(uint64_t newest, uint64_t installed)
{
	if (installed == 0 && newest != 0)
		return newest + 2;
	return (newest > installed ? newest : installed) + 1;
}

bool kept_path(const char *table, uint64_t generation, char out_path[PATH_MAX], struct error *err)
{
	return snprintf(out_path, PATH_MAX, "%s.%" PRIu64, table, generation) < PATH_MAX ||
	       error_set(err, EX_CANTCREAT, "%s: the path is too long", table);
}

bool kept_plan(struct file_output *output, uint64_t generation, struct error *err)
{
	char name[PATH_MAX];

	return kept_path(output->name, generation, name, err) &&
	       file_output_keep(output, name, err);
}

bool kept_prune(const char *table, size_t most, struct error *err)
{
	struct kept_tables kept;
	char path[PATH_MAX];
	bool is_done = true;

	if (!kept_list(table, &kept, err))
		return false;
	for (size_t i = most; i < kept.count && is_done; i++)
		is_done = kept_path(table, kept.generations[i], path, err) &&
			  (unlink(path) == 0 || errno == ENOENT ||
			   error_set_errno(err, EX_OSERR, "%s: removing it", path));
	kept_free(&kept);
	return is_done;
}
