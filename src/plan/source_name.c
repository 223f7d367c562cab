/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/source_name.h"

#include <string.h>

bool source_name_put(const struct settings_source *source, struct buffer *out)
{
	const char *slash = strrchr(source->path, '/');
	const char *base = slash == NULL ? source->path : slash + 1;
	const char *name = settings_source_get(source, "name");
	size_t size = strlen(base);

	if (name != NULL || source->path[0] == '\0')
		return buffer_append_text(out, name != NULL ? name : SOURCE_NAME_FIRST);
	if (size > 3 && strcmp(base + size - 3, ".cf") == 0)
		size -= 3;
	for (size_t i = 0; i < size; i++) {
		bool is_odd = strchr(" :", base[i]) != NULL || (unsigned char)base[i] < ' ';

		(void)buffer_append_byte(out, is_odd ? '_' : base[i]); /* told at the end */
	}
	return !out->has_failed;
}
