/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/trust.h"

enum {
	HUGE_PAGE_BYTES = 2 * 1024 * 1024,
	AGAIN_TRIES = 1000, /* an EAGAIN that never ends is an error, not a spin */
};

static bool times_equal(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* By errno. */
static void fill_open_error(const char *path, struct error *err)
{
	switch (errno) {
	case ENOENT:
		error_fill_errno(err, EX_NOINPUT, "%s", path);
		break;
	case ENOTDIR:
		error_fill(err, EX_NOINPUT, "%s: its directory is none, or a link", path);
		break;
	case ELOOP:
		error_fill(err, EX_NOPERM, "%s: is a symbolic link", path);
		break;
	case EISDIR:
	case ENXIO:
		error_fill(err, EX_NOPERM, "%s: is not a regular file", path);
		break;
	case EACCES:
	case EPERM:
		error_fill_errno(err, EX_NOPERM, "%s", path);
		break;
	default:
		error_fill_errno(err, EX_OSERR, "%s", path);
		break;
	}
}

static bool check_open_file(const char *path, const struct stat *status,
			    const struct file_limits *limits, struct error *err)
{
	struct trust_policy policy = trust_in_table;
	uintmax_t size = (uintmax_t)status->st_size;

	policy.also_owner = limits->also_owner;
	if (!trust_check(path, status, &policy, err))
		return false;
	if (size < limits->least_bytes)
		return error_set(err, EX_DATAERR, "%s: is too short (%ju bytes)", path, size);
	if (size > limits->most_bytes)
		return error_set(err, EX_DATAERR, "%s: is too long (%ju bytes)", path, size);
	return true;
}

/* Open PATH, which must be what it seems to be. -1: ERR is filled. */
static int open_checked(const char *path, const struct file_limits *limits, struct stat *out_status,
			struct error *err)
{
	struct stat status;
	const char *name;
	int flags;
	int directory_fd;
	int fd = -1;

	directory_fd = trust_open_folder(path, O_PATH | O_NOFOLLOW, &name);
	if (directory_fd < 0) {
		fill_open_error(path, err);
		return -1;
	}
	if (!trust_check_folder(path, directory_fd, &trust_in_folder, err))
		goto out;
	/* Without O_NONBLOCK opening a fifo would wait for somebody to write into it. */
	fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		fill_open_error(path, err);
		goto out;
	}
	flags = fcntl(fd, F_GETFL);
	if (fstat(fd, &status) != 0 || flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0)
		error_fill_errno(err, EX_OSERR, "%s", path);
	else if (check_open_file(path, &status, limits, err)) {
		*out_status = status;
		goto out;
	}
	(void)close(fd); /* was only read */
	fd = -1;
out:
	(void)close(directory_fd); /* likewise */
	return fd;
}

static void fill_changed(const char *path, struct error *err)
{
	error_fill(err, EX_DATAERR, "%s: changed while it was read", path);
}

/* SIZE bytes of FROM into DATA, and not one more. */
static bool copy_bytes(const char *path, int from, char *data, size_t size, struct error *err)
{
	size_t done = 0;
	char beyond;

	for (;;) {
		ssize_t got = done < size ? pread(from, data + done, size - done, (off_t)done)
					  : pread(from, &beyond, 1, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, EX_IOERR, "%s", path);
		if ((got == 0) != (done == size)) {
			fill_changed(path, err);
			return false;
		}
		if (got == 0)
			return true;
		done += (size_t)got;
	}
}

/*
 * Private memory that begins at a huge page, so that a large table is spread over few pages:
 * looking up is 10 to 25 % faster, loading and dropping twice (measured against a sealed memory
 * file, which Linux gives small pages unless it is told otherwise).
 */
static char *map_private(size_t size)
{
	size_t room = size + HUGE_PAGE_BYTES;
	char *data = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t used = (size + page - 1) / page * page;

	if (data == MAP_FAILED)
		return NULL;
	before = (HUGE_PAGE_BYTES - (uintptr_t)data % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
	if (before > 0)
		(void)munmap(data, before);                       /* untouched */
	(void)munmap(data + before + used, room - before - used); /* likewise */
	(void)madvise(data + before, used, MADV_HUGEPAGE);        /* a kernel may not know it */
	return data + before;
}

/* A mapping outlives its descriptor; an empty file has none. */
static bool map_readonly(const char *path, int fd, size_t size, struct bytes *out_bytes,
			 struct error *err)
{
	void *data;

	if (size == 0) {
		*out_bytes = bytes_make(NULL, 0);
		return true;
	}
	data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return error_set_errno(err, EX_OSERR, "%s: mapping it", path);
	*out_bytes = bytes_make(data, size);
	return true;
}

/* A copy that no other process can reach, and that this one can only read. */
static bool copy_sealed(const char *path, int fd, size_t size, struct bytes *out_bytes,
			struct error *err)
{
	char *data = map_private(size);

	if (data == NULL)
		return error_set_errno(err, EX_OSERR, "%s: memory for a copy", path);
	if (copy_bytes(path, fd, data, size, err)) {
		if (mprotect(data, size, PROT_READ) == 0) {
			*out_bytes = bytes_make(data, size);
			return true;
		}
		error_fill_errno(err, EX_OSERR, "%s: sealing the copy", path);
	}
	(void)munmap(data, size); /* is a mapping */
	return false;
}

/* FD had STATUS when it was opened. */
static bool load_open(const char *path, int fd, const struct stat *status,
		      struct file_copy *out_copy, struct error *err)
{
	struct file_identity before, after;
	struct file_copy copy = { .fd = -1 };
	struct stat status_after;

	file_identity_of(status, &before);
	if (!copy_sealed(path, fd, (size_t)status->st_size, &copy.bytes, err))
		return false;
	/* Not the identity as a whole: a rename over the file changes its link count, and so the
	 * time of that, while the bytes are those that were opened. */
	if (fstat(fd, &status_after) != 0) {
		error_fill_errno(err, EX_OSERR, "%s", path);
		goto failed;
	}
	file_identity_of(&status_after, &after);
	if (after.size != before.size || !times_equal(&after.modified, &before.modified)) {
		fill_changed(path, err);
		goto failed;
	}
	copy.identity = before;
	*out_copy = copy;
	return true;
failed:
	file_copy_free(&copy);
	return false;
}

bool file_copy_load(const char *path, const struct file_limits *limits, struct file_copy *out_copy,
		    struct error *err)
{
	struct stat status;
	int fd = open_checked(path, limits, &status, err);
	bool is_done;

	if (fd < 0)
		return false;
	is_done = load_open(path, fd, &status, out_copy, err);
	(void)close(fd); /* was only read */
	return is_done;
}

static bool map_open(const char *path, int take_fd, const struct stat *status,
		     struct file_copy *out_copy, struct error *err)
{
	struct file_copy copy = { .fd = take_fd };

	if (!map_readonly(path, copy.fd, (size_t)status->st_size, &copy.bytes, err)) {
		(void)close(copy.fd); /* was only read */
		return false;
	}
	file_identity_of(status, &copy.identity);
	*out_copy = copy;
	return true;
}

bool file_copy_map(const char *path, const struct file_limits *limits, struct file_copy *out_copy,
		   struct error *err)
{
	struct stat status;
	int fd = open_checked(path, limits, &status, err);

	return fd >= 0 && map_open(path, fd, &status, out_copy, err);
}

bool file_copy_load_open(const char *name, int fd, struct file_copy *out_copy, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return error_set_errno(err, EX_OSERR, "%s", name);
	return load_open(name, fd, &status, out_copy, err);
}

bool file_copy_map_open(const char *name, int fd, struct file_copy *out_copy, struct error *err)
{
	struct stat status;
	int own_fd;

	if (fstat(fd, &status) != 0)
		return error_set_errno(err, EX_OSERR, "%s", name);
	own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own_fd < 0)
		return error_set_errno(err, EX_OSERR, "%s", name);
	return map_open(name, own_fd, &status, out_copy, err);
}

bool file_check(const char *path, const struct file_limits *limits, struct error *err)
{
	struct stat status;
	int fd = open_checked(path, limits, &status, err);

	if (fd < 0)
		return false;
	(void)close(fd); /* was only looked at */
	return true;
}

void file_copy_free(struct file_copy *copy)
{
	if (copy == NULL)
		return;
	if (copy->bytes.size > 0)
		(void)munmap((void *)(uintptr_t)copy->bytes.data, copy->bytes.size); /* mapped */
	if (copy->fd >= 0)
		(void)close(copy->fd); /* was only read */
	copy->bytes = bytes_make(NULL, 0);
	copy->fd = -1;
}

/* ---- identity ----------------------------------------------------------------------------- */

void file_identity_of(const struct stat *status, struct file_identity *out_identity)
{
	*out_identity = (struct file_identity){
		.device = status->st_dev,
		.inode = status->st_ino,
		.size = status->st_size,
		.modified = status->st_mtim,
		.changed = status->st_ctim,
	};
}

bool file_identity_get(const char *path, struct file_identity *out_identity)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return false;
	file_identity_of(&status, out_identity);
	return true;
}

bool file_identity_equal(const struct file_identity *a, const struct file_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       times_equal(&a->modified, &b->modified) && times_equal(&a->changed, &b->changed);
}

/* ---- writing ------------------------------------------------------------------------------ */

bool file_write_all(int fd, struct bytes b)
{
	unsigned tries = 0;

	while (b.size > 0) {
		ssize_t written = write(fd, b.data, b.size);

		if (written > 0) {
			b = bytes_skip(b, (size_t)written);
			tries = 0;
			continue;
		}
		if (written < 0 && errno == EINTR)
			continue;
		if (written == 0)
			errno = EIO;
		if (written == 0 || errno != EAGAIN || ++tries > AGAIN_TRIES)
			return false;
		/* Its outcome doesn't matter: the write is tried again and tells. */
		(void)poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 1000);
	}
	return true;
}

int file_open_unnamed(const char *directory, struct error *err)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char name[PATH_MAX];
	int size;

	if (fd >= 0)
		return fd;
	/* Not every file system can make a file without a name. */
	size = snprintf(name, sizeof(name), "%s/.rcptmap.XXXXXX", directory);
	if (size > 0 && (size_t)size < sizeof(name)) {
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(name); /* left behind at worst, and empty */
	}
	if (fd < 0)
		error_fill_errno(err, EX_CANTCREAT, "%s: temporary file", directory);
	return fd;
}
