/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/attempt.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "follow/signals.h"

enum { MESSAGES_MAX = 1 << 20 };

/* One record: the state, and the path with its NUL. */
static void put_file(const char *path, const struct stat *status, void *context)
{
	const int *fd = context;
	struct file_identity identity;
	char record[sizeof(identity) + PATH_MAX];
	size_t size = strlen(path) + 1;

	if (size > PATH_MAX)
		return;
	memset(&identity, 0, sizeof(identity));
	file_identity_of(status, &identity);
	memcpy(record, &identity, sizeof(identity));
	memcpy(record + sizeof(identity), path, size);
	/* One that is lost is watched as a source, or not at all. */
	(void)file_write_all(*fd, bytes_make(record, sizeof(identity) + size));
}

static _Noreturn void be_compiler(const struct attempt *attempt,
				  int (*compile)(const struct attempt_help *help, void *context),
				  const struct mirrors *mirrors, void *context)
{
	int files_fd = attempt->files_fd;
	const struct attempt_help help = { .on_file = put_file,
					   .file_context = &files_fd,
					   .mirrors = mirrors };

	/* A group of its own: whatever it starts ends with it. */
	(void)setpgid(0, 0);
	signals_reset();
	if (dup2(attempt->messages_fd, STDOUT_FILENO) < 0 ||
	    dup2(attempt->messages_fd, STDERR_FILENO) < 0)
		_exit(EX_OSERR);
	_exit(compile(&help, context));
}

bool attempt_start(struct attempt *attempt,
		   int (*compile)(const struct attempt_help *help, void *context),
		   const struct mirrors *mirrors, void *context, struct error *err)
{
	attempt_close(attempt);
	attempt->messages_fd = memfd_create("messages", MFD_CLOEXEC);
	attempt->files_fd = memfd_create("files", MFD_CLOEXEC);
	attempt->began_ms = clock_milliseconds();
	if (attempt->messages_fd >= 0 && attempt->files_fd >= 0)
		attempt->pid = fork();
	if (attempt->pid == 0)
		be_compiler(attempt, compile, mirrors, context);
	if (attempt->pid > 0) {
		(void)setpgid(attempt->pid, attempt->pid); /* whoever of both is first */
		return true;
	}
	error_fill_errno(err, EX_OSERR, "a process to compile in");
	attempt_close(attempt);
	return false;
}

static void read_messages(int fd, struct buffer *out_messages)
{
	char piece[4096];
	off_t at = 0;
	ssize_t got;

	buffer_clear(out_messages);
	while (at < MESSAGES_MAX && (got = pread(fd, piece, sizeof(piece), at)) > 0) {
		(void)buffer_append(out_messages, bytes_make(piece, (size_t)got)); /* cut then */
		at += got;
	}
}

bool attempt_ended(struct attempt *attempt, int *out_status, struct buffer *out_messages)
{
	int status;
	pid_t ended = attempt->pid > 0 ? waitpid(attempt->pid, &status, WNOHANG) : -1;

	if (ended != attempt->pid || ended < 0)
		return false;
	attempt->pid = -1;
	read_messages(attempt->messages_fd, out_messages);
	if (WIFSIGNALED(status))
		(void)buffer_append_format(out_messages,
					   "rcptmap: the compilation was killed by signal %d\n",
					   WTERMSIG(status));
	*out_status = WIFEXITED(status) ? WEXITSTATUS(status) : EX_OSERR;
	return true;
}

bool attempt_may_mend_itself(int status)
{
	return status != EX_DATAERR && status != EX_CONFIG && status != EX_USAGE;
}

bool attempt_next_file(const struct attempt *attempt, uint64_t *position, char *room,
		       size_t room_size, struct file_identity *out_identity)
{
	ssize_t got =
		pread(attempt->files_fd, out_identity, sizeof(*out_identity), (off_t)*position);
	size_t size;

	if (got != (ssize_t)sizeof(*out_identity))
		return false;
	got = pread(attempt->files_fd, room, room_size, (off_t)(*position + sizeof(*out_identity)));
	size = got <= 0 ? 0 : strnlen(room, (size_t)got);
	if (got <= 0 || size == (size_t)got)
		return false;
	*position += sizeof(*out_identity) + size + 1;
	return true;
}

void attempt_close(struct attempt *attempt)
{
	if (attempt->pid > 0) {
		(void)kill(-attempt->pid, SIGTERM); /* it may have ended by itself */
		while (waitpid(attempt->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (attempt->messages_fd >= 0)
		(void)close(attempt->messages_fd); /* memory */
	if (attempt->files_fd >= 0)
		(void)close(attempt->files_fd); /* memory */
	*attempt = ATTEMPT_NONE;
}
