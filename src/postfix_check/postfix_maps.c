/* SPDX-License-Identifier: BSD-2-Clause */
#include "postfix_check/postfix_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/trust.h"

enum {
	TEXT_BYTES_MAX = 256 << 20,
	DIRECTORY_MODE = 0755,
	WORK_MODE = 0700,
	FILE_MODE = 0644, /* every process of Postfix opens them itself */
};

#define POSTMAP      "postmap"
#define POSTMAP_PATH "/usr/sbin/" POSTMAP
#define WORK         ".new"

static const char *const names[POSTFIX_MAPS] = {
	[POSTFIX_MAP_CATCH_ALL] = "catch_all",
	[POSTFIX_MAP_ALIAS_DOMAINS] = "alias_domains",
};

/* By enum settings_postfix_maps_type: how Postfix calls the type, and what postmap makes of FILE.
 */
static const struct map_type {
	const char *name;
	const char *suffix; /* NULL: it reads the text itself */
} types[] = {
	[SETTINGS_MAPS_HASH] = { "hash", ".db" },
	[SETTINGS_MAPS_CDB] = { "cdb", ".cdb" },
	[SETTINGS_MAPS_LMDB] = { "lmdb", ".lmdb" },
	[SETTINGS_MAPS_TEXTHASH] = { "texthash", NULL },
};

/* One map on its way. */
struct making {
	const char *directory;
	const char *name;
	const struct map_type *type;
	struct bytes text;
};

const char *postfix_map_name(enum postfix_map map)
{
	return names[map];
}

const char *postfix_maps_type(const struct settings *settings)
{
	return types[settings->postfix_maps_type].name;
}

void postfix_map_print(enum postfix_map map, const struct sorted *domains, struct buffer *out)
{
	for (size_t i = 0; i < domains->domain_count; i++) {
		const struct table_domain *domain = &domains->domains[i];

		if (domain->name.size == 0 || (domain->flags & TABLE_DOMAIN_OURS) == 0)
			continue;
		if (map == POSTFIX_MAP_CATCH_ALL)
			(void)buffer_append_format(out, "@" BYTES_FORMAT " @" BYTES_FORMAT "\n",
						   BYTES_ARGS(domain->name),
						   BYTES_ARGS(domain->name)); /* remembered */
		else if ((domain->flags & TABLE_DOMAIN_MAILBOX) == 0)
			(void)buffer_append_format(out, BYTES_FORMAT " openrcpt\n",
						   BYTES_ARGS(domain->name)); /* likewise */
	}
}

/* ---- files --------------------------------------------------------------------------------- */

static bool make_path(char out_path[PATH_MAX], struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static bool make_path(char out_path[PATH_MAX], struct error *err, const char *format, ...)
{
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(out_path, PATH_MAX, format, arguments);
	va_end(arguments);
	return (size >= 0 && size < PATH_MAX) ||
	       error_set(err, EX_CANTCREAT, "postfix_maps.directory: the path is too long");
}

static bool make_directory(const char *path, mode_t mode, struct error *err)
{
	return mkdir(path, mode) == 0 || errno == EEXIST ||
	       error_set_errno(err, EX_CANTCREAT, "%s", path);
}

static bool sync_path(const char *path, int flags, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	bool is_synced = fd >= 0 && fsync(fd) == 0;

	if (!is_synced)
		error_fill_errno(err, EX_IOERR, "%s", path);
	if (fd >= 0)
		(void)close(fd); /* was only read */
	return is_synced;
}

static bool write_text(const char *path, struct bytes text, struct error *err)
{
	int fd;
	bool is_written;

	(void)unlink(path); /* of a run that was killed; where it stays, open() says so */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return error_set_errno(err, EX_CANTCREAT, "%s", path);
	is_written = fchmod(fd, FILE_MODE) == 0 && file_write_all(fd, text) && fsync(fd) == 0;
	if (!is_written)
		error_fill_errno(err, EX_IOERR, "%s", path);
	if (close(fd) != 0 && is_written)
		is_written = error_set_errno(err, EX_IOERR, "%s", path);
	return is_written;
}

/* Does the file at PATH have TEXT in it, no more and no less? */
static bool has_text(const char *path, struct bytes text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;
	bool is_equal = false;
	char *data = NULL;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    (size_t)status.st_size == text.size && (data = malloc(text.size + 1)) != NULL)
		is_equal = read(fd, data, text.size) == (ssize_t)text.size &&
			   memcmp(data, text.data, text.size) == 0;
	free(data);
	if (fd >= 0)
		(void)close(fd); /* was only read */
	return is_equal;
}

/* ---- postmap ------------------------------------------------------------------------------- */

/* What it complains about goes to our own standard error. */
static bool run_postmap(const char *map, struct error *err)
{
	const char *words[] = { access(POSTMAP_PATH, X_OK) == 0 ? POSTMAP_PATH : POSTMAP, map,
				NULL };
	pid_t child;
	int status;

	/* posix_spawnp() only reads what it takes as char *. */
	errno = posix_spawnp(&child, words[0], NULL, NULL, (char *const *)(uintptr_t)words,
			     environ);
	if (errno != 0 || waitpid(child, &status, 0) != child)
		return error_set_errno(err, EX_UNAVAILABLE, "%s", words[0]);
	return status == 0 ||
	       error_set(err, EX_UNAVAILABLE, "%s %s failed (postfix_maps)", words[0], map);
}

static bool make_index(const struct making *making, const char *made_text, struct error *err)
{
	char map[PATH_MAX];
	char made[PATH_MAX];
	char path[PATH_MAX];

	if (!make_path(map, err, "%s:%s", making->type->name, made_text) ||
	    !make_path(made, err, "%s%s", made_text, making->type->suffix) ||
	    !make_path(path, err, "%s/%s%s", making->directory, making->name, making->type->suffix))
		return false;
	(void)unlink(made); /* of a run that was killed */
	if (!run_postmap(map, err) || !sync_path(made, 0, err))
		return false;
	return rename(made, path) == 0 || error_set_errno(err, EX_CANTCREAT, "%s", path);
}

/* ---- a map --------------------------------------------------------------------------------- */

static bool is_current(const struct making *making, const char *path)
{
	char index[PATH_MAX];

	return has_text(path, making->text) &&
	       (making->type->suffix == NULL ||
		(make_path(index, NULL, "%s%s", path, making->type->suffix) &&
		 access(index, F_OK) == 0));
}

/* The text last: as long as it is the old one, all is made anew by the next run. */
static bool make_map(const struct making *making, struct error *err)
{
	char work[PATH_MAX];
	char made[PATH_MAX];
	char path[PATH_MAX];
	bool is_made;

	if (!make_path(path, err, "%s/%s", making->directory, making->name) ||
	    !make_path(work, err, "%s/" WORK, making->directory) ||
	    !make_path(made, err, "%s/%s", work, making->name))
		return false;
	if (is_current(making, path))
		return true;
	if (!make_directory(work, WORK_MODE, err))
		return false;
	is_made = write_text(made, making->text, err) &&
		  (making->type->suffix == NULL || make_index(making, made, err));
	if (is_made && rename(made, path) != 0)
		is_made = error_set_errno(err, EX_CANTCREAT, "%s", path);
	if (!is_made)
		(void)unlink(made); /* else the next run does */
	(void)rmdir(work);          /* stays where something is left in it */
	return is_made && sync_path(making->directory, O_DIRECTORY, err);
}

/* ---- both ---------------------------------------------------------------------------------- */

static bool make_maps(const struct sorted *domains, const struct settings *settings,
		      struct error *err)
{
	struct making making = {
		.directory = settings->postfix_maps_directory,
		.type = &types[settings->postfix_maps_type],
	};
	bool is_made = true;

	for (enum postfix_map map = 0; map < POSTFIX_MAPS && is_made; map++) {
		struct buffer text;

		buffer_init(&text, TEXT_BYTES_MAX);
		postfix_map_print(map, domains, &text);
		making.name = names[map];
		making.text = buffer_bytes(&text);
		is_made = text.has_failed ? error_set_memory(err) : make_map(&making, err);
		buffer_free(&text);
	}
	return is_made;
}

bool postfix_maps_write(const struct table *table, const struct settings *settings,
			struct error *err)
{
	struct sorted domains;
	char inside[PATH_MAX];
	bool is_written;

	if (!make_path(inside, err, "%s/x", settings->postfix_maps_directory) ||
	    !make_directory(settings->postfix_maps_directory, DIRECTORY_MODE, err) ||
	    !trust_check_folder_of(inside, err) || !sorted_load_domains(table, &domains, err))
		return false;
	is_written = make_maps(&domains, settings, err);
	sorted_free(&domains);
	return is_written;
}
