/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/apart.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buffer.h"
#include "settings/pack.h"

/*
 * What goes over, in memory that both share (a file would have the limit on the size of files):
 * records, each with its size in front. A mistake is a MISTAKE and its text; the last record is
 * FAILED with the error, or READ with the settings.
 */
enum kind { MISTAKE = 'm', FAILED = 'f', READ = 'r' };

struct head {
	uint64_t size;
	char kind;
};

enum { SHARED_BYTES = SETTINGS_PACKED_MAX + (1 << 20) };

struct shared {
	size_t used;
	char bytes[SHARED_BYTES];
};

/* ---- the process that reads ---------------------------------------------------------------- */

static void put(struct shared *shared, enum kind kind, struct bytes content)
{
	const struct head head = { .size = content.size, .kind = (char)kind };

	/* One that is cut is as good as none. */
	if (content.size > sizeof(shared->bytes) - shared->used - sizeof(head))
		_exit(EX_OSERR);
	memcpy(shared->bytes + shared->used, &head, sizeof(head));
	bytes_copy(shared->bytes + shared->used + sizeof(head), content.data, content.size);
	shared->used += sizeof(head) + content.size;
}

static void put_mistake(const char *text, void *context)
{
	put(context, MISTAKE, bytes_make(text, strlen(text) + 1));
}

static _Noreturn void be_reader(const char *path, struct shared *shared)
{
	const struct rlimit no_core = { 0, 0 };
	struct settings *settings;
	struct buffer packed;
	struct error err;

	(void)setrlimit(RLIMIT_CORE, &no_core); /* where it stays, there may be a file too many */
	memset(&err, 0, sizeof(err));
	settings = settings_load(path, put_mistake, shared, &err);
	buffer_init(&packed, SETTINGS_PACKED_MAX);
	if (settings == NULL) {
		put(shared, FAILED, bytes_make(&err, sizeof(err)));
	} else if (settings_pack(settings, settings, &packed)) {
		put(shared, READ, buffer_bytes(&packed));
	} else {
		error_fill_memory(&err);
		put_mistake(err.text, shared);
		put(shared, FAILED, bytes_make(&err, sizeof(err)));
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

	while (take(&said, &kind, &content) && content.data != NULL) {
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

/* Its end. What it has to say is in memory, so it may be nobody's child any more. */
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
	/* Pages that nobody writes to take no memory. */
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pid_t reader = shared == MAP_FAILED ? -1 : fork();
	int status;

	if (reader == 0)
		be_reader(path, shared);
	if (reader < 0) {
		error_fill_errno(&own, EX_OSERR, "%s: a process to read it", path);
		tell(&listener, own.text);
	} else {
		status = wait_for(reader);
		if (!hear(bytes_make(shared->bytes, shared->used), &listener, &settings, &own)) {
			error_fill(&own, EX_OSERR, "%s: out of memory (who read it %s %d)", path,
				   WIFSIGNALED(status) ? "was killed by signal" : "has ended with",
				   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
			tell(&listener, own.text);
		}
	}
	if (shared != MAP_FAILED)
		(void)munmap(shared, sizeof(*shared)); /* can't fail: it is all of a mapping */
	if (settings == NULL && err != NULL)
		*err = own;
	return settings;
}
