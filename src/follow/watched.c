/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/watched.h"

#include <stdlib.h>
#include <string.h>

static struct file_identity identity_of(const char *path)
{
	struct file_identity identity = { 0 };
	struct stat status;

	if (stat(path, &status) == 0)
		file_identity_of(&status, &identity);
	return identity;
}

static struct watched_file *find(const struct watched *watched, const char *path)
{
	for (size_t i = 0; i < watched->count; i++)
		if (strcmp(watched->files[i].path, path) == 0)
			return &watched->files[i];
	return NULL;
}

bool watched_has(const struct watched *watched, const char *path)
{
	return find(watched, path) != NULL;
}

size_t watched_count_files(const struct watched *watched)
{
	size_t count = 0;

	for (size_t i = 0; i < watched->count; i++) {
		const char *path = watched->files[i].path;

		count += path[0] != '\0' && path[strlen(path) - 1] != '/';
	}
	return count;
}

void watched_free(struct watched *watched)
{
	for (size_t i = 0; i < watched->count; i++)
		free(watched->files[i].path);
	free(watched->files);
	*watched = (struct watched){ 0 };
}

bool watched_add(struct watched *watched, const char *path)
{
	struct watched_file *file = find(watched, path);
	struct watched_file *grown;
	char *copy;

	if (file != NULL) {
		file->is_wanted = true;
		return true;
	}
	copy = strdup(path);
	grown = reallocarray(watched->files, watched->count + 1, sizeof(*watched->files));
	if (grown != NULL)
		watched->files = grown;
	if (grown == NULL || copy == NULL) {
		free(copy);
		return false;
	}
	file = &watched->files[watched->count++];
	*file = (struct watched_file){
		.path = copy,
		.seen = identity_of(path),
		.is_wanted = true,
	};
	file->compiled = file->seen;
	return true;
}

void watched_renew(struct watched *watched)
{
	for (size_t i = 0; i < watched->count; i++)
		watched->files[i].is_wanted = false;
}

void watched_drop(struct watched *watched)
{
	size_t left = 0;

	for (size_t i = 0; i < watched->count; i++) {
		if (watched->files[i].is_wanted)
			watched->files[left++] = watched->files[i];
		else
			free(watched->files[i].path);
	}
	watched->count = left;
}

bool watched_look(struct watched *watched)
{
	bool has_changed = false;

	for (size_t i = 0; i < watched->count; i++) {
		struct watched_file *file = &watched->files[i];
		struct file_identity now = identity_of(file->path);

		has_changed |= !file_identity_equal(&now, &file->seen);
		file->seen = now;
	}
	return has_changed;
}

void watched_take(struct watched *watched)
{
	for (size_t i = 0; i < watched->count; i++)
		watched->files[i].compiled = watched->files[i].seen;
}

void watched_took(struct watched *watched, const char *path, const struct file_identity *identity)
{
	struct watched_file *file = find(watched, path);

	if (file != NULL)
		file->compiled = *identity;
}

bool watched_has_news(const struct watched *watched)
{
	for (size_t i = 0; i < watched->count; i++)
		if (!file_identity_equal(&watched->files[i].seen, &watched->files[i].compiled))
			return true;
	return false;
}
