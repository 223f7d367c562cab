/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/hints.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	EVENTS = IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MODIFY |
		 IN_MOVE | IN_MOVE_SELF | IN_ONLYDIR,
};

/* What can't be watched is polled. */
static void add_folder(const struct hints *hints, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;

	if (slash == NULL)
		folder = strdup(".");
	else
		folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (folder != NULL)
		(void)inotify_add_watch(hints->fd, folder, EVENTS);
	free(folder);
}

void hints_set(struct hints *hints, const struct watched *watched)
{
	hints_close(hints);
	hints->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	for (size_t i = 0; hints->fd >= 0 && i < watched->count; i++)
		add_folder(hints, watched->files[i].path);
}

void hints_close(struct hints *hints)
{
	if (hints->fd >= 0)
		(void)close(hints->fd); /* nothing was written */
	hints->fd = -1;
}

bool hints_take(struct hints *hints)
{
	char events[1 << 14];
	bool has_any = false;

	/* What they say is of no use: all is looked at. */
	while (hints->fd >= 0 && read(hints->fd, events, sizeof(events)) > 0)
		has_any = true;
	return has_any;
}
