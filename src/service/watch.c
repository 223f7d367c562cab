/* SPDX-License-Identifier: BSD-2-Clause */
#include "service/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void watch_init(struct watch *watch)
{
	*watch = (struct watch){ .fd = -1 };
}

void watch_close(struct watch *watch)
{
	if (watch->fd >= 0)
		(void)close(watch->fd); /* opened for its name only */
	watch->fd = -1;
}

void watch_set(struct watch *watch, const char *path, const struct file_identity *identity)
{
	struct file_identity found;
	struct stat status;

	watch_close(watch);
	watch->loaded = *identity;
	watch->seen = *identity;
	watch->missing_since = 0;
	watch->retry_at = 0;
	watch->fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (watch->fd < 0)
		return;
	/* Replaced since it was loaded: the next look will say so. */
	if (fstat(watch->fd, &status) != 0) {
		watch_close(watch);
		return;
	}
	file_identity_of(&status, &found);
	if (found.device != identity->device || found.inode != identity->inode)
		watch_close(watch);
}

static bool is_same_file(const struct file_identity *a, const struct file_identity *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static bool has_same_content(const struct file_identity *a, const struct file_identity *b)
{
	return a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

void watch_try_again(struct watch *watch, uint64_t now_seconds)
{
	watch->retry_at = now_seconds + WATCH_RETRY_SECONDS;
}

static enum watch_event miss(struct watch *watch, uint64_t now_seconds)
{
	if (watch->missing_since != 0 && now_seconds - watch->missing_since < WATCH_MISSING_SECONDS)
		return WATCH_SAME;
	watch->missing_since = now_seconds;
	return WATCH_MISSING;
}

enum watch_event watch_check(struct watch *watch, const char *path, uint64_t now_seconds)
{
	struct file_identity found;

	if (!file_identity_get(path, &found))
		return errno == ENOENT || errno == ENOTDIR ? miss(watch, now_seconds)
							   : WATCH_UNKNOWN;
	watch->missing_since = 0;
	if (file_identity_equal(&found, &watch->seen) &&
	    (watch->retry_at == 0 || now_seconds < watch->retry_at))
		return WATCH_SAME;
	watch->seen = found;
	watch->retry_at = 0;
	/* If the file isn't held open, another file may get its number. */
	if (watch->fd < 0 || !is_same_file(&found, &watch->loaded))
		return WATCH_REPLACED;
	return has_same_content(&found, &watch->loaded) ? WATCH_SAME : WATCH_CHANGED;
}
