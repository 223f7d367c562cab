/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/source.h"

#include <string.h>

static const struct source_type *const types[] = {
	&source_type_virtual,    &source_type_aliases, &source_type_virtusertable,
	&source_type_regexp,     &source_type_pcre,    &source_type_domains,
	&source_type_recipients, &source_type_mysql,   &source_type_postgresql,
	&source_type_sqlite,     &source_type_ldap,
};

enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

/* What stands in a virtual_alias_maps: the text of each of these tables is virtual(5). */
static bool is_indexed(const char *name)
{
	static const char *const names[] = { "hash", "btree", "cdb", "lmdb", "dbm", "texthash" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

const struct source_type *source_type_find(const char *name)
{
	static const char proxy[] = "proxy:";

	if (strncmp(name, proxy, sizeof(proxy) - 1) == 0)
		name += sizeof(proxy) - 1;
	if (is_indexed(name))
		return &source_type_virtual;
	if (strcmp(name, "pgsql") == 0)
		return &source_type_postgresql;
	if (strcmp(name, "mariadb") == 0)
		return &source_type_mysql;
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (strcmp(types[i]->name, name) == 0)
			return types[i];
	return NULL;
}
