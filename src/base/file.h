/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file - read a file whole into memory nobody can change; write a file so that readers see the old
 * one or the new one, and nothing else.
 *
 * Reading:  open without following links, check the open descriptor (regular, owner, mode, one
 * link), copy into private memory, make that read-only. What happens to the file on disk
 * afterwards changes nothing.
 *
 * Writing:  file_output_lock(), file_output_create() a temporary file beside the target; write
 * through its descriptor; file_output_sync() it; file_output_install() renames it and syncs the
 * directory. file_output_close() without an install removes the temporary. Only regular files are
 * ever written over. A program that writes must ignore SIGXFSZ: its default action kills where a
 * limit on the size of files is reached, instead of letting the write fail.
 *
 * Neither touches a file in a directory that others may write, but for sticky ones of root's.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/trust.h"

/* Tells two states of a path apart: every write and every rename changes it. */
struct file_identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed;
};

struct file_copy {
	struct bytes bytes;            /* mapped read-only; padded with zeros to a full page */
	struct file_identity identity; /* of the file it was read from */
	int fd;                        /* of a mapped file, to watch it; else -1 */
};

struct file_limits {
	size_t least_bytes;
	size_t most_bytes;
	uid_t also_owner; /* beside root and ourselves; TRUST_NOBODY: nobody */
};

/*
 * Read PATH into sealed memory. End it with file_copy_free(). ERR: status 66 not there; 77 no
 * permission, another owner, writable by others, a link, not a regular file; 65 size, or it changed
 * while it was read; 71 and 74 the system's trouble.
 */
bool file_copy_load(const char *path, const struct file_limits *limits, struct file_copy *out_copy,
		    struct error *err);

/* Map PATH itself, without a copy (load = "mapped"); same checks, same end. */
bool file_copy_map(const char *path, const struct file_limits *limits, struct file_copy *out_copy,
		   struct error *err);
/* The same of FD, a regular file that is open and that the caller trusts. FD stays the caller's;
 * NAME is for ERR. */
bool file_copy_load_open(const char *name, int fd, struct file_copy *out_copy, struct error *err);
bool file_copy_map_open(const char *name, int fd, struct file_copy *out_copy, struct error *err);
void file_copy_free(struct file_copy *copy);

/* Would PATH be read now? Its owner, mode, names and folder are looked at, not what is in it. */
bool file_check(const char *path, const struct file_limits *limits, struct error *err);

/* Without following a link. False: errno says why, and only ENOENT and ENOTDIR that nothing is
 * there. */
bool file_identity_get(const char *path, struct file_identity *out_identity);
void file_identity_of(const struct stat *status, struct file_identity *out_identity);
bool file_identity_equal(const struct file_identity *a, const struct file_identity *b);

struct file_output {
	int fd; /* of the temporary file; write here */
	int directory_fd;
	int lock_fd;
	char *name;                /* of the target, inside its directory */
	char *temporary;           /* likewise; NULL once installed or removed */
	char *path;                /* of the target, as given */
	char *kept;                /* the name that what is replaced gets; NULL: none, it goes */
	struct error kept_trouble; /* it didn't get it; status 0: it did, or needn't */
};

/*
 * Lock the target and remove what a killed writer left behind. Waits up to WAIT_MS for another
 * writer, then fails with status 75. Call it before reading what goes into the file: so a late
 * writer never replaces newer data by older.
 */
bool file_output_lock(const char *path, int wait_ms, struct file_output *out_output,
		      struct error *err);

/* Create the temporary file, mode MODE exactly. Made by root it gets the owner and group of the old
 * target, or else the group of the directory; this one also where both are root's: that is a copy
 * that root has put there, which only he can read, and not what somebody has chosen. */
bool file_output_create(struct file_output *output, mode_t mode, struct error *err);

/* Sync the temporary to disk; its full path for a last check before the install. Where the sync
 * fails the temporary is removed at once, and only file_output_close() may follow. */
bool file_output_sync(struct file_output *output, char *out_path, size_t room, struct error *err);

/*
 * What is replaced shall stay, as NAME in the same directory, in the place of what is called so. At
 * no time has a file two names, and at none has the target's name no file. Not to be able to is no
 * reason not to install: see kept_trouble. False: no memory.
 */
bool file_output_keep(struct file_output *output, const char *name, struct error *err);

/*
 * Rename over the target and sync the directory. Where only the last step fails the target *is*
 * installed, *out_is_installed is true, and the result is false with status 74.
 */
bool file_output_install(struct file_output *output, bool *out_is_installed, struct error *err);

/* Remove the temporary if it is still there, unlock. Accepts one that was never opened (all zero
 * with fds of -1: FILE_OUTPUT_NONE). */
void file_output_close(struct file_output *output);

#define FILE_OUTPUT_NONE ((struct file_output){ .fd = -1, .directory_fd = -1, .lock_fd = -1 })

/* A file without a name in the folder DIRECTORY, for what nobody else shall see and what is gone
 * with the descriptor. Below 0: ERR, status 73. */
int file_open_unnamed(const char *directory, struct error *err);

/* Write all of B, whatever write(2) does in pieces. */
bool file_write_all(int fd, struct bytes b);

#endif
