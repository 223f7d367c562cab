/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/source.h"

#include <string.h>

static const struct source_type *const types[] = {
	&source_type_virtual, &source_type_aliases, &source_type_virtusertable, &source_type_regexp,
	&source_type_pcre,    &source_type_domains, &source_type_recipients,
};

enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

const struct source_type *source_type_find(const char *name)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}
