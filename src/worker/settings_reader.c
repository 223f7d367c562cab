/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker/settings_reader.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "confine/confine.h"
#include "message/counters.h"
#include "service/log.h"
#include "settings/pack.h"

/* ---- the new process ------------------------------------------------------------------- */

/* The first of several is the one to be told elsewhere, too. */
static void log_settings_error(const char *text, void *context)
{
	bool *is_first = context;

	log_line(SEVERITY_ERROR, "%s", text);
	if (*is_first)
		counters_failure(text, (uint64_t)time(NULL));
	*is_first = false;
}

/* Which settings take more than a reload. */
struct waiting {
	char reexec[COUNTERS_TEXT_MAX];
	char restart[COUNTERS_TEXT_MAX];
};

/* More than have room are in the log. */
static void add_name(char names[COUNTERS_TEXT_MAX], const char *name)
{
	size_t size = strlen(names);

	(void)snprintf(names + size, COUNTERS_TEXT_MAX - size, "%s%s", size > 0 ? ", " : "", name);
}

static void note_need_of_restart(const char *path, const char *needs, void *context)
{
	struct waiting *waiting = context;

	if (strcmp(needs, "reexec") == 0) {
		log_line(SEVERITY_WARNING, "%s: needs rcptctl reexec", path);
		add_name(waiting->reexec, path);
	} else if (strcmp(needs, "restart") == 0) {
		log_line(SEVERITY_WARNING, "%s: needs a restart", path);
		add_name(waiting->restart, path);
	}
}

/* In the log, and for rcptctl. */
static void tell_waiting(const struct settings *running, const struct settings *settings)
{
	struct waiting waiting = { .reexec = "" };

	settings_compare(running, settings, note_need_of_restart, &waiting);
	counters_set_text(COUNTERS_TEXT_REEXEC, waiting.reexec);
	counters_set_text(COUNTERS_TEXT_RESTART, waiting.restart);
}

/* The exit status: 0 where RESULT_FD has all, sealed. */
static int read_settings(const struct settings *running, int result_fd)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	struct settings *settings;
	struct buffer packed;
	struct error err = { .status = EX_SOFTWARE };
	bool is_handed_over;
	bool is_first = true;

	settings = settings_load(running->file, log_settings_error, &is_first, &err);
	if (settings == NULL)
		return err.status;
	/* The worker can't ask for users. */
	if (!settings_find_table_owner(settings, &err)) {
		log_settings_error(err.text, &is_first);
		settings_free(settings);
		return err.status;
	}
	tell_waiting(running, settings);
	buffer_init(&packed, SETTINGS_PACKED_MAX);
	is_handed_over = settings_pack(settings, running, &packed) &&
			 file_write_all(result_fd, buffer_bytes(&packed)) &&
			 fcntl(result_fd, F_ADD_SEALS, seals) == 0;
	buffer_free(&packed);
	settings_free(settings);
	if (is_handed_over)
		return EX_OK;
	log_line(SEVERITY_ERROR, "%s: no memory for what was read", running->file);
	return EX_OSERR;
}

static _Noreturn void be_reader(const struct settings *running, int result_fd, const int *masters,
				size_t count)
{
	struct error err;
	int status;

	log_forked();
	for (size_t i = 0; i < count; i++)
		if (masters[i] >= 0)
			(void)close(masters[i]); /* the master's, who goes on with it */
	(void)signal(SIGALRM, SIG_DFL);
	(void)alarm(SETTINGS_READER_SECONDS); /* there is none before it */
	if (!confine_reader(running, &err)) {
		log_line(SEVERITY_ERROR, "%s", err.text);
		_exit(err.status);
	}
	status = read_settings(running, result_fd);
	log_tell_left_out(true);
	_exit(status);
}

/* ---- its master -------------------------------------------------------------------------- */

bool settings_reader_start(struct settings_reader *reader, const struct settings *running,
			   const int *masters, size_t count, struct error *err)
{
	int result_fd = memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	pid_t child;

	if (result_fd < 0)
		return error_set_errno(err, EX_OSERR, "read the settings");
	child = fork();
	if (child == 0)
		be_reader(running, result_fd, masters, count);
	if (child < 0) {
		error_fill_errno(err, EX_OSERR, "read the settings");
		(void)close(result_fd); /* nothing was written */
		return false;
	}
	reader->pid = child;
	reader->result_fd = result_fd;
	return true;
}

bool settings_reader_end(struct settings_reader *reader, int wait_status, const char *file)
{
	reader->pid = 0;
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EX_OK)
		return true;
	if (WIFSIGNALED(wait_status))
		log_line(SEVERITY_ERROR, "%s: who read it was killed by signal %d", file,
			 WTERMSIG(wait_status));
	log_line(SEVERITY_ERROR, "%s: settings and table stay as they were", file);
	return false;
}

int settings_reader_take(struct settings_reader *reader)
{
	int fd = reader->result_fd;

	reader->result_fd = -1;
	return fd;
}

bool settings_reader_cancel(struct settings_reader *reader)
{
	bool was_busy = reader->pid > 0 || reader->result_fd >= 0;

	if (reader->pid > 0)
		(void)kill(reader->pid, SIGKILL); /* it may have ended by itself */
	if (reader->result_fd >= 0)
		(void)close(reader->result_fd); /* nobody wants it any more */
	*reader = SETTINGS_READER_NONE;
	return was_busy;
}

/* ---- whoever takes the result ------------------------------------------------------------ */

struct settings *settings_reader_result(int fd, struct error *err)
{
	struct settings *settings;
	struct stat status;
	size_t size;
	void *data;

	if (fstat(fd, &status) != 0) {
		error_fill_errno(err, EX_OSERR, "settings that were read");
		return NULL;
	}
	size = (size_t)status.st_size;
	/* It is sealed: it can't become shorter. */
	data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		error_fill_errno(err, EX_OSERR, "settings that were read");
		return NULL;
	}
	settings = settings_unpack(bytes_make(data, size), err);
	(void)munmap(data, size); /* can't fail: it is all of a mapping */
	return settings;
}
