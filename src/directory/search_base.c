/* SPDX-License-Identifier: BSD-2-Clause */
#include "directory/search_base.h"

/* Where the component that begins TEXT ends: at a comma, or the end. */
static size_t component_size(struct bytes text)
{
	size_t i = 0;

	while (i < text.size && text.data[i] != ',')
		i += text.data[i] == '\\' && i + 1 < text.size ? 2 : 1;
	return i;
}

struct bytes search_base_common(struct bytes template)
{
	struct bytes common = template, rest = template;

	while (rest.size > 0) {
		size_t size = component_size(rest);
		bool has_part = bytes_contain(bytes_first(rest, size), '%');

		rest = bytes_skip(rest, size + 1);
		if (has_part)
			common = rest;
	}
	return bytes_trim(common);
}

/* Equal but for case, and blanks around the `=`. */
static bool same_component(struct bytes left, struct bytes right)
{
	size_t l = bytes_index(left, '='), r = bytes_index(right, '=');

	return bytes_equal_ascii_nocase(bytes_trim(bytes_first(left, l)),
					bytes_trim(bytes_first(right, r))) &&
	       bytes_equal_ascii_nocase(bytes_trim(bytes_skip(left, l + 1)),
					bytes_trim(bytes_skip(right, r + 1)));
}

static size_t count_components(struct bytes name)
{
	size_t count = 0;

	for (; name.size > 0; name = bytes_skip(name, component_size(name) + 1))
		count++;
	return count;
}

bool search_base_holds(struct bytes base, enum directory_scope scope, struct bytes name)
{
	size_t depth = count_components(name), least = count_components(base);

	if (depth < least || (scope == DIRECTORY_SCOPE_BASE && depth != least) ||
	    (scope == DIRECTORY_SCOPE_ONE && depth != least + 1))
		return false;
	for (; depth > least; depth--)
		name = bytes_skip(name, component_size(name) + 1);
	for (; least > 0; least--) {
		size_t size = component_size(name), wanted = component_size(base);

		if (!same_component(bytes_first(name, size), bytes_first(base, wanted)))
			return false;
		name = bytes_skip(name, size + 1);
		base = bytes_skip(base, wanted + 1);
	}
	return true;
}
