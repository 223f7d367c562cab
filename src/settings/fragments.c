/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/fragments.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "settings/fields.h"

static int is_fragment(const struct dirent *entry)
{
	static const char ending[] = ".conf";
	size_t size = strlen(entry->d_name);

	return entry->d_name[0] != '.' && size > sizeof(ending) - 1 &&
	       strcmp(entry->d_name + size - (sizeof(ending) - 1), ending) == 0;
}

/* Not by alphasort(): the order must not depend on who reads. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool add(struct settings_list *paths, const char *folder, const char *name)
{
	char *path;
	bool is_added;

	if (asprintf(&path, "%s%s", folder, name) < 0)
		return false;
	is_added = settings_list_add(paths, path);
	free(path);
	return is_added;
}

/* Is PATH, which has a slash at its end and can't be found, not there at all? A link to what isn't
 * there, as to what isn't mounted, is another matter. */
static bool is_nothing(const char *path)
{
	char name[PATH_MAX]; /* a longer one is another error than ENOENT */
	struct stat status;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strlen(path) - 1, path);
	return lstat(name, &status) != 0 && errno == ENOENT;
}

bool fragments_list(const char *path, struct settings_list *out_paths, struct error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_fragment, by_name);
	int reason = errno;
	bool is_done = count >= 0 || (reason == ENOENT && is_nothing(path));

	errno = reason;
	if (!is_done && reason == ENOMEM)
		error_fill_memory(err);
	else if (!is_done)
		error_fill_errno(err, EX_NOPERM, "%s", path);
	for (int i = 0; i < count; i++) {
		if (is_done && !add(out_paths, path, entries[i]->d_name))
			is_done = error_set_memory(err);
		free(entries[i]);
	}
	free(entries);
	return is_done;
}

bool fragments_find(const char *folder, struct settings_list *out_folders,
		    struct settings_list *out_paths, struct error *err)
{
	bool is_done;
	char *path;

	if (asprintf(&path, "%s%sconf.d/", folder, strcmp(folder, "/") == 0 ? "" : "/") < 0)
		return error_set_memory(err);
	is_done = settings_list_add(out_folders, path) ? fragments_list(path, out_paths, err)
						       : error_set_memory(err);
	free(path);
	return is_done;
}
