/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/template.h"

#include <sysexits.h>

static bool is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

/* Take the name of a group off *rest, which stands behind a `$`. False: no name there. */
static bool take_name(struct bytes *rest, struct bytes *out_name)
{
	char open = rest->size > 0 ? rest->data[0] : '\0';
	size_t begin = open == '{' || open == '(' ? 1 : 0;
	size_t size = 0;

	while (begin + size < rest->size && is_name_byte(rest->data[begin + size]))
		size++;
	*out_name = bytes_make(rest->data + begin, size);
	if (size == 0)
		return false;
	if (begin == 0) {
		*rest = bytes_skip(*rest, size);
		return true;
	}
	if (begin + size == rest->size || rest->data[begin + size] != (open == '{' ? '}' : ')'))
		return false;
	*rest = bytes_skip(*rest, begin + size + 1);
	return true;
}

/* The number that NAME is; 0: none, or out of all range. */
static uint32_t number_of(struct bytes name)
{
	uint32_t number = 0;

	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] < '0' || name.data[i] > '9' || number > 65535)
			return 0;
		number = number * 10 + (uint32_t)(name.data[i] - '0');
	}
	return number;
}

bool template_normalise(struct bytes text, uint32_t group_count, struct buffer *out_text,
			struct error *err)
{
	while (text.size > 0) {
		size_t plain = bytes_index(text, '$');
		struct bytes name;
		uint32_t number;

		(void)buffer_append(out_text, bytes_first(text, plain)); /* shows at the end */
		if (plain == text.size)
			break;
		text = bytes_skip(text, plain + 1);
		if (text.size > 0 && text.data[0] == '$') {
			(void)buffer_append_text(out_text, "$$"); /* likewise */
			text = bytes_skip(text, 1);
			continue;
		}
		if (!take_name(&text, &name))
			return error_set(err, EX_DATAERR,
					 "a \"$\" names no group; write $$ for a dollar");
		number = number_of(name);
		if (number == 0 || number > group_count)
			return error_set(err, EX_DATAERR,
					 "$" BYTES_FORMAT ": the pattern has %lu groups",
					 BYTES_ARGS(name), (unsigned long)group_count);
		/* Likewise. */
		(void)buffer_append_format(out_text, "${%lu}", (unsigned long)number);
	}
	return true;
}
