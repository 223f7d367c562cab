/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/nearest.h"

#include <limits.h>
#include <string.h>

#include "settings/fields.h"

enum {
	NAME_MAX_BYTES = 64, /* longer ones are not compared with known names */
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned nearest_distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_BYTES + 1];
	size_t size = strlen(b);

	if (strlen(a) > NAME_MAX_BYTES || size > NAME_MAX_BYTES)
		return UINT_MAX;
	for (unsigned j = 0; j <= size; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1] != '\0'; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= size; j++) {
			unsigned change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(change, least(row[j - 1], row[j]) + 1);
		}
	}
	return row[size];
}

const char *settings_nearest_name(const char *path)
{
	const char *nearest =
		nearest_distance(path, "sources") <= NEAREST_ENOUGH ? "sources" : NULL;
	unsigned best = NEAREST_ENOUGH + 1;

	for (size_t i = 0; settings_field(i) != NULL; i++) {
		const char *name = settings_field(i)->path;
		const char *dot = strchr(name, '.');
		unsigned found = nearest_distance(path, name);

		if (dot != NULL)
			found = least(found, nearest_distance(path, dot + 1));
		if (found < best) {
			best = found;
			nearest = name;
		}
	}
	return nearest;
}
