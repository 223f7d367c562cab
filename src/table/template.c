/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/template.h"

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
	size_t end = begin;

	while (end < rest->size && is_name_byte(rest->data[end]))
		end++;
	if (end == begin)
		return false;
	if (begin > 0 && (end == rest->size || rest->data[end] != (open == '{' ? '}' : ')')))
		return false;
	*out_name = bytes_make(rest->data + begin, end - begin);
	*rest = bytes_skip(*rest, end + begin);
	return true;
}

/* The number that NAME is; 0: none, or more than there can be. */
static uint32_t group_number(struct bytes name)
{
	uint32_t number = 0;

	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] < '0' || name.data[i] > '9')
			return 0;
		number = number * 10 + (uint32_t)(name.data[i] - '0');
		if (number > TEMPLATE_GROUP_MAX)
			return 0;
	}
	return number;
}

enum template_step template_next(struct bytes *rest, struct template_piece *out_piece)
{
	size_t plain = bytes_index(*rest, '$');

	*out_piece = (struct template_piece){ .text = bytes_first(*rest, plain) };
	if (rest->size == 0)
		return TEMPLATE_END;
	if (plain > 0) {
		*rest = bytes_skip(*rest, plain);
		return TEMPLATE_TEXT;
	}
	*rest = bytes_skip(*rest, 1);
	if (rest->size > 0 && rest->data[0] == '$') {
		out_piece->text = bytes_first(*rest, 1);
		*rest = bytes_skip(*rest, 1);
		return TEMPLATE_TEXT;
	}
	if (!take_name(rest, &out_piece->text))
		return TEMPLATE_WRONG;
	out_piece->group = group_number(out_piece->text);
	return out_piece->group > 0 ? TEMPLATE_GROUP : TEMPLATE_WRONG;
}

static bool refuse(struct bytes name, uint32_t group_count, struct error *err)
{
	if (name.size == 0)
		return error_set(err, EX_DATAERR, "a \"$\" names no group; write $$ for a dollar");
	if (group_count <= TEMPLATE_GROUP_MAX)
		return error_set(err, EX_DATAERR, "$" BYTES_FORMAT ": the pattern has %lu groups",
				 BYTES_ARGS(name), (unsigned long)group_count);
	return error_set(err, EX_DATAERR,
			 "$" BYTES_FORMAT ": only the first %d groups of a pattern can be put in",
			 BYTES_ARGS(name), (int)TEMPLATE_GROUP_MAX);
}

bool template_check(struct bytes text, uint32_t group_count, struct error *err)
{
	struct template_piece piece;

	for (;;) {
		switch (template_next(&text, &piece)) {
		case TEMPLATE_END:
			return true;
		case TEMPLATE_TEXT:
			break;
		case TEMPLATE_GROUP:
			if (piece.group <= group_count)
				break;
			return refuse(piece.text, group_count, err);
		case TEMPLATE_WRONG:
			return refuse(piece.text, group_count, err);
		}
	}
}

void template_normalise(struct bytes text, struct buffer *out_text)
{
	struct template_piece piece;
	enum template_step step;

	while ((step = template_next(&text, &piece)) == TEMPLATE_TEXT || step == TEMPLATE_GROUP) {
		/* What fails shows at the end. */
		if (step == TEMPLATE_GROUP)
			(void)buffer_append_format(out_text, "${%lu}", (unsigned long)piece.group);
		else if (bytes_equal(piece.text, bytes_of("$")))
			(void)buffer_append_text(out_text, "$$"); /* likewise */
		else
			(void)buffer_append(out_text, piece.text); /* likewise */
	}
}
