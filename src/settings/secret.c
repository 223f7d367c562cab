/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/trust.h"

enum { PASSWORD_BYTES = 4096 };

/* What a password is worth depends on who can read it. */
static bool check_secret(const char *path, int fd, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return error_set_errno(err, EX_OSERR, "%s", path);
	if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0)
		return error_set(err, EX_NOPERM,
				 "%s: everybody may read it (mode %04o): a password must be secret",
				 path, (unsigned)(status.st_mode & 07777));
	return trust_check(path, &status, &trust_in_source, err) &&
	       trust_check_folder_of(path, err);
}

const char *secret_read(const char *path, struct arena *arena, struct error *err)
{
	char text[PASSWORD_BYTES];
	const char *secret = NULL;
	ssize_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		error_fill_errno(err, errno == ENOENT ? EX_NOINPUT : EX_NOPERM, "%s", path);
		return NULL;
	}
	if (!check_secret(path, fd, err))
		goto out;
	size = read(fd, text, sizeof(text));
	if (size < 0) {
		error_fill_errno(err, EX_IOERR, "%s", path);
		goto out;
	}
	/* The first line, whatever editors put behind it. */
	secret = arena_text(arena, bytes_first(bytes_make(text, (size_t)size),
					       bytes_index(bytes_make(text, (size_t)size), '\n')));
	explicit_bzero(text, sizeof(text));
	if (secret == NULL)
		error_fill_memory(err);
out:
	(void)close(fd); /* was only read */
	return secret;
}
