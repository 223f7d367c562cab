/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory/attribute_name.h"

/* The next part of *REST, up to a semicolon, which is taken along. */
static struct bytes next_part(struct bytes *rest)
{
	size_t size = bytes_index(*rest, ';');
	struct bytes part = bytes_first(*rest, size);

	*rest = bytes_skip(*rest, size < rest->size ? size + 1 : size);
	return part;
}

static bool has_option(struct bytes options, struct bytes option)
{
	while (options.size > 0)
		if (bytes_equal_ascii_nocase(next_part(&options), option))
			return true;
	return false;
}

bool attribute_is(struct bytes name, struct bytes wanted)
{
	if (!bytes_equal_ascii_nocase(next_part(&name), next_part(&wanted)))
		return false;
	while (wanted.size > 0)
		if (!has_option(name, next_part(&wanted)))
			return false;
	return true;
}
