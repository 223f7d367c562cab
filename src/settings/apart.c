/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/apart.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "settings/pack.h"

/*
 * What goes over, in a file without a name: records, each with its size in front. A mistake is a
 * MISTAKE and its text; the last record is FAILED with the error, or READ with the settings.
 */
enum kind { MISTAKE = 'm', FAILED = 'f', READ = 'r' };

struct head {
	uint64_t size;
	char kind;
};

/* ---- the process that reads ---------------------------------------------------------------- */

static void put(int fd, enum kind kind, struct bytes content)
{
	const struct head head = { .size = content.size, .kind = (char)kind };

	/* One that is cut is as good as none. */
	if (!file_write_all(fd, bytes_make(&head, sizeof(head))) || !file_write_all(fd, content))
		_exit(EX_OSERR);
}

static void put_mistake(const char *text, void *context)
{
	const int *fd = context;

	put(*fd, MISTAKE, bytes_make(text, strlen(text) + 1));
}

static _Noreturn void be_reader(const char *path, int fd)
{
	const struct rlimit no_core = { 0, 0 };
	struct settings *settings;
	struct buffer packed;
	struct error err;

	(void)setrlimit(RLIMIT_CORE, &no_core); /* where it stays, there may be a file too many */
	memset(&err, 0, sizeof(err));
	settings = settings_load(path, put_mistake, &fd, &err);
	buffer_init(&packed, SETTINGS_PACKED_MAX);
	if (settings == NULL) {
		put(fd, FAILED, bytes_make(&err, sizeof(err)));
	} else if (settings_pack(settings, settings, &packed)) {
		put(fd, READ, buffer_bytes(&packed));
	} else {
		error_fill_memory(&err);
		put_mistake(err.text, &fd);
		put(fd, FAILED, bytes_make(&err, sizeof(err)));
	}
	buffer_free(&packed);
	settings_free(settings);
	_exit(EX_OK);
}

/* ---- the one that waits ---------------------------------------------------------------------- */

struct listener_of_mistakes {
	void (*on_error)(const char *text, void *context);
	void *context;
};

static void tell(const struct listener_of_mistakes *listener, const char *text)
{
	if (listener->on_error != NULL)
		listener->on_error(text, listener->context);
}

/* False: no more, or it is cut. */
static bool take(struct bytes *left, enum kind *out_kind, struct bytes *out_content)
{
	struct head head;

	if (left->size < sizeof(head))
		return false;
	memcpy(&head, left->data, sizeof(head));
	*left = bytes_skip(*left, sizeof(head));
	if (head.size > left->size)
		return false;
	*out_kind = (enum kind)head.kind;
	*out_content = bytes_first(*left, (size_t)head.size);
	*left = bytes_skip(*left, out_content->size);
	return true;
}

/* True: it came to an end, and *OUT_SETTINGS or ERR is it. */
static bool hear(struct bytes said, const struct listener_of_mistakes *listener,
		 struct settings **out_settings, struct error *err)
{
	enum kind kind;
	struct bytes content;

	while (take(&said, &kind, &content)) {
		if (kind == MISTAKE) {
			tell(listener, content.data);
			continue;
		}
		*out_settings = NULL;
		if (kind == FAILED) {
			memcpy(err, content.data, sizeof(*err));
			return true;
		}
		*out_settings = settings_unpack(content, err);
		if (*out_settings == NULL)
			tell(listener, err->text);
		return true;
	}
	return false;
}

static bool hear_file(int fd, const struct listener_of_mistakes *listener,
		      struct settings **out_settings, struct error *err)
{
	struct stat status;
	bool is_heard;
	void *data;

	if (fstat(fd, &status) != 0 || status.st_size == 0)
		return false;
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return false;
	is_heard = hear(bytes_make(data, (size_t)status.st_size), listener, out_settings, err);
	(void)munmap(data, (size_t)status.st_size); /* can't fail: it is all of a mapping */
	return is_heard;
}

/* Its end. What it has to say is in the file, so it may be nobody's child any more. */
static int wait_for(pid_t reader)
{
	int status = 0;

	while (waitpid(reader, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

struct settings *settings_load_apart(const char *path,
				     void (*on_error)(const char *text, void *context),
				     void *context, struct error *err)
{
	const struct listener_of_mistakes listener = { on_error, context };
	struct settings *settings = NULL;
	struct error own;
	int fd = memfd_create("settings", MFD_CLOEXEC);
	pid_t reader = fd < 0 ? -1 : fork();
	int status;

	if (reader == 0)
		be_reader(path, fd);
	if (reader < 0) {
		error_fill_errno(&own, EX_OSERR, "%s: a process to read it", path);
		tell(&listener, own.text);
	} else {
		status = wait_for(reader);
		if (!hear_file(fd, &listener, &settings, &own)) {
			error_fill(&own, EX_OSERR, "%s: out of memory (who read it %s %d)", path,
				   WIFSIGNALED(status) ? "was killed by signal" : "has ended with",
				   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
			tell(&listener, own.text);
		}
	}
	if (fd >= 0)
		(void)close(fd); /* was only read */
	if (settings == NULL && err != NULL)
		*err = own;
	return settings;
}
