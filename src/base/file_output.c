/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/trust.h"

enum {
	RANDOM_BYTES = 6,
	RANDOM_DIGITS = 2 * RANDOM_BYTES,
	NAME_TRIES = 16,
	POLL_MS = 20,
};

static const char TEMPORARY_SUFFIX[] = ".tmp";

/* What a program should exit with when a file can't be made. */
static int status_of(int number)
{
	switch (number) {
	case EACCES:
	case EPERM:
		return EX_NOPERM;
	case EIO:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return EX_IOERR;
	case EROFS:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENXIO:
	case ENAMETOOLONG:
		return EX_CANTCREAT;
	default:
		return EX_OSERR;
	}
}

/* By errno. */
static void fill_failure(const char *path, const char *doing, struct error *err)
{
	error_fill_errno(err, status_of(errno), "%s: %s", path, doing);
}

static bool failed(const char *path, const char *doing, struct error *err)
{
	fill_failure(path, doing, err);
	return false;
}

/* ---- the lock ----------------------------------------------------------------------------- */

/* -1 and errno on failure. */
static int open_lock(int directory_fd, const char *name)
{
	struct stat status;
	int fd = openat(directory_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			0600);

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		/* The umask may have removed permissions that the next run needs. If the file
		 * belongs to somebody else, this fails, and the owner has to set them. */
		if ((status.st_mode & 07777) != 0600)
			(void)fchmod(fd, 0600);
		return fd;
	}
	(void)close(fd); /* nothing was written */
	errno = EISDIR;
	return -1;
}

static bool is_still_named(int fd, int directory_fd, const char *name)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 &&
	       fstatat(directory_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

/* Open and lock, or -1 and errno (EWOULDBLOCK: somebody else has it). */
static int try_lock(int directory_fd, const char *name)
{
	int fd = open_lock(directory_fd, name);
	int number;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (is_still_named(fd, directory_fd, name))
			return fd;
		/* Somebody removed the file: another writer may hold the lock on a new one. */
		errno = EWOULDBLOCK;
	}
	number = errno;
	(void)close(fd); /* nothing was written */
	errno = number;
	return -1;
}

static bool take_lock(struct file_output *output, int wait_ms, struct error *err)
{
	char *name;
	int waited_ms = 0;

	if (asprintf(&name, ".%s.lock", output->name) < 0)
		return error_set_memory(err);
	for (;;) {
		output->lock_fd = try_lock(output->directory_fd, name);
		if (output->lock_fd >= 0 || (errno != EWOULDBLOCK && errno != EINTR) ||
		    waited_ms >= wait_ms)
			break;
		/* Cut short by a signal it is a shorter wait. */
		(void)nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
		waited_ms += POLL_MS;
	}
	if (output->lock_fd < 0 && errno == EWOULDBLOCK)
		error_fill(err, EX_TEMPFAIL, "%s: locked by another process that writes it",
			   output->path);
	else if (output->lock_fd < 0)
		fill_failure(output->path, "making a lock file beside it", err);
	free(name);
	return output->lock_fd >= 0;
}

/* ---- what killed writers left --------------------------------------------------------------- */

/* `.NAME.0123456789ab.tmp`? */
static bool is_leftover(const char *entry, const char *name)
{
	size_t size = strlen(name);

	if (entry[0] != '.' || strncmp(entry + 1, name, size) != 0 || entry[1 + size] != '.')
		return false;
	entry += size + 2;
	return strspn(entry, "0123456789abcdef") == RANDOM_DIGITS &&
	       strcmp(entry + RANDOM_DIGITS, TEMPORARY_SUFFIX) == 0;
}

static bool remove_leftovers(const struct file_output *output, struct error *err)
{
	/* fdopendir() takes its descriptor over, so it gets one of its own. */
	int fd = openat(output->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool is_done = true;

	if (directory == NULL) {
		fill_failure(output->path, "reading its directory", err);
		if (fd >= 0)
			(void)close(fd); /* nothing was written */
		return false;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread has this directory open */
	while (errno = 0, (entry = readdir(directory)) != NULL) {
		if (is_leftover(entry->d_name, output->name) &&
		    unlinkat(output->directory_fd, entry->d_name, 0) != 0 && errno != ENOENT)
			break;
	}
	if (errno != 0)
		is_done = failed(output->path, "removing what a killed writer left", err);
	(void)closedir(directory); /* was only read */
	return is_done;
}

/* ---- the target ----------------------------------------------------------------------------- */

/* Is the target absent or a regular file? OUT_STATUS may be NULL; its st_nlink is 0 if absent. */
static bool check_target(const struct file_output *output, struct stat *out_status,
			 struct error *err)
{
	struct stat status;
	const char *what = "not a regular file";

	if (fstatat(output->directory_fd, output->name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return failed(output->path, "looking at it", err);
		status.st_nlink = 0;
	} else if (!S_ISREG(status.st_mode)) {
		if (S_ISLNK(status.st_mode))
			what = "a symbolic link";
		else if (S_ISDIR(status.st_mode))
			what = "a directory";
		return error_set(err, EX_CANTCREAT, "%s: is %s; not written over", output->path,
				 what);
	}
	if (out_status != NULL)
		*out_status = status;
	return true;
}

bool file_output_lock(const char *path, int wait_ms, struct file_output *out_output,
		      struct error *err)
{
	struct file_output output = FILE_OUTPUT_NONE;
	const char *name;

	output.directory_fd = trust_open_folder(path, O_RDONLY | O_NOFOLLOW, &name);
	if (output.directory_fd < 0)
		return failed(path, "opening its directory", err);
	output.name = strdup(name);
	output.path = strdup(path);
	if (output.name == NULL || output.path == NULL) {
		error_fill_memory(err);
		goto out;
	}
	if (!trust_check_folder(path, output.directory_fd, &trust_in_folder, err) ||
	    !check_target(&output, NULL, err) || !take_lock(&output, wait_ms, err) ||
	    !remove_leftovers(&output, err))
		goto out;
	*out_output = output;
	return true;
out:
	file_output_close(&output);
	return false;
}

/* ---- the temporary file --------------------------------------------------------------------- */

static char *random_name(const char *name)
{
	unsigned char random[RANDOM_BYTES];
	char *result;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return NULL;
	if (asprintf(&result, ".%s.%02x%02x%02x%02x%02x%02x%s", name, random[0], random[1],
		     random[2], random[3], random[4], random[5], TEMPORARY_SUFFIX) < 0)
		return NULL;
	return result;
}

static void remove_temporary(struct file_output *output)
{
	if (output->fd >= 0)
		(void)close(output->fd); /* the file goes, with all that was written */
	output->fd = -1;
	if (output->temporary != NULL)
		(void)unlinkat(output->directory_fd, output->temporary, 0); /* next run's else */
	free(output->temporary);
	output->temporary = NULL;
}

/* The old file's owner and group, or the group of the directory: the daemon reads by its group, and
 * would never again once root had restored a copy of the file that belongs to him alone. */
static bool set_owner(const struct file_output *output, const struct stat *old, struct error *err)
{
	struct stat directory;
	uid_t owner = (uid_t)-1;
	gid_t group;

	if (geteuid() != 0)
		return true;
	if (old->st_nlink > 0 && (old->st_uid != 0 || old->st_gid != 0)) {
		owner = old->st_uid;
		group = old->st_gid;
	} else if (fstat(output->directory_fd, &directory) == 0) {
		group = directory.st_gid;
	} else {
		return failed(output->path, "looking at its directory", err);
	}
	if (fchown(output->fd, owner, group) != 0)
		return failed(output->path, "setting the owner of its new version", err);
	return true;
}

bool file_output_create(struct file_output *output, mode_t mode, struct error *err)
{
	struct stat old;

	if (!check_target(output, &old, err))
		return false;
	for (int tries = 0; output->fd < 0; tries++) {
		output->temporary = random_name(output->name);
		if (output->temporary == NULL)
			return failed(output->path, "naming its new version", err);
		output->fd = openat(output->directory_fd, output->temporary,
				    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (output->fd >= 0)
			break;
		/* It isn't ours to remove. */
		free(output->temporary);
		output->temporary = NULL;
		if (errno != EEXIST || tries >= NAME_TRIES)
			return failed(output->path, "creating its new version", err);
	}
	if (!set_owner(output, &old, err)) {
		remove_temporary(output);
		return false;
	}
	if (fchmod(output->fd, mode) != 0) {
		fill_failure(output->path, "setting the mode of its new version", err);
		remove_temporary(output);
		return false;
	}
	return true;
}

bool file_output_sync(struct file_output *output, char *out_path, size_t room, struct error *err)
{
	size_t directory_size = strlen(output->path) - strlen(output->name);

	if (directory_size + strlen(output->temporary) >= room)
		return error_set(err, EX_CANTCREAT, "%s: its path is too long", output->path);
	if (fsync(output->fd) != 0) {
		/* A second fsync could succeed although the data is lost. */
		error_fill_errno(err, EX_IOERR, "%s: syncing its new version", output->path);
		remove_temporary(output);
		return false;
	}
	(void)snprintf(out_path, room, "%.*s%s", (int)directory_size, output->path,
		       output->temporary); /* measured above */
	return true;
}

/* ---- what is replaced ------------------------------------------------------------------------ */

bool file_output_keep(struct file_output *output, const char *name, struct error *err)
{
	char *copy = strdup(name);

	if (copy == NULL)
		return error_set_memory(err);
	free(output->kept);
	output->kept = copy;
	return true;
}

static void fail_keeping(struct file_output *output, const char *doing)
{
	error_fill_errno(&output->kept_trouble, status_of(errno),
			 "%s: the version before this one is not kept: %s", output->path, doing);
}

static bool copy_content(int from, int to)
{
	char piece[1 << 16];

	for (;;) {
		ssize_t got = read(from, piece, sizeof(piece));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		if (!file_write_all(to, bytes_make(piece, (size_t)got)))
			return false;
	}
}

static bool copy_file(const struct file_output *output, int from, const char *name)
{
	struct stat status;
	int to = openat(output->directory_fd, name,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool is_done;

	if (to < 0)
		return false;
	is_done = fstat(from, &status) == 0 && copy_content(from, to) &&
		  (geteuid() != 0 || fchown(to, status.st_uid, status.st_gid) == 0) &&
		  fchmod(to, status.st_mode & 07777) == 0 && fsync(to) == 0;
	if (close(to) != 0 && errno != EINTR)
		is_done = false;
	return is_done &&
	       renameat(output->directory_fd, name, output->directory_fd, output->kept) == 0;
}

/* For file systems that can't exchange two names: what is still in place is copied. */
static void keep_copy(struct file_output *output)
{
	char *name = random_name(output->name);
	int from = openat(output->directory_fd, output->name,
			  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int number;

	if (name == NULL || from < 0 || !copy_file(output, from, name)) {
		number = errno;
		if (name != NULL)
			(void)unlinkat(output->directory_fd, name, 0); /* next run's else */
		errno = number;
		if (from >= 0 || number != ENOENT)
			fail_keeping(output, "copying it");
	}
	if (from >= 0)
		(void)close(from); /* was only read */
	free(name);
}

/* Put the temporary in place, and what was there in the temporary's, in one step. */
static bool exchange(const struct file_output *output)
{
	return renameat2(output->directory_fd, output->temporary, output->directory_fd,
			 output->name, RENAME_EXCHANGE) == 0;
}

/* Where it is killed in between, the next run removes what was replaced. */
static void keep_exchanged(struct file_output *output)
{
	if (renameat(output->directory_fd, output->temporary, output->directory_fd, output->kept) ==
	    0)
		return;
	fail_keeping(output, "renaming it");
	(void)unlinkat(output->directory_fd, output->temporary, 0); /* next run's else */
}

static bool put_in_place(struct file_output *output)
{
	if (output->kept != NULL && exchange(output)) {
		keep_exchanged(output);
		return true;
	}
	if (output->kept != NULL && errno != ENOENT)
		keep_copy(output);
	return renameat(output->directory_fd, output->temporary, output->directory_fd,
			output->name) == 0;
}

bool file_output_install(struct file_output *output, bool *out_is_installed, struct error *err)
{
	int fd = output->fd;

	*out_is_installed = false;
	if (!check_target(output, NULL, err))
		return false;
	/* Some network file systems tell only now that a write was lost. */
	output->fd = -1;
	if (close(fd) != 0 && errno != EINTR) {
		error_fill_errno(err, EX_IOERR, "%s: closing its new version", output->path);
		remove_temporary(output);
		return false;
	}
	if (!put_in_place(output)) {
		fill_failure(output->path, "putting its new version in place", err);
		remove_temporary(output);
		return false;
	}
	*out_is_installed = true;
	free(output->temporary);
	output->temporary = NULL;
	if (fsync(output->directory_fd) != 0)
		return error_set_errno(err, EX_IOERR,
				       "%s: installed, but might not survive a power cut: "
				       "syncing its directory",
				       output->path);
	return true;
}

void file_output_close(struct file_output *output)
{
	if (output->directory_fd >= 0)
		remove_temporary(output);
	if (output->lock_fd >= 0)
		(void)close(output->lock_fd); /* unlocks; nothing was written */
	if (output->directory_fd >= 0)
		(void)close(output->directory_fd); /* was synced where it mattered */
	free(output->name);
	free(output->path);
	free(output->kept);
	*output = FILE_OUTPUT_NONE;
}
