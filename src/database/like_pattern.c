/* SPDX-License-Identifier: BSD-2-Clause */
#include "database/like_pattern.h"

#include <string.h>
#include <sysexits.h>

static bool is_alphanumeric(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9');
}

/* Failures of the buffer show at the end. */
static void put_literal(struct buffer *out, struct bytes text)
{
	for (size_t i = 0; i < text.size; i++) {
		if ((unsigned char)text.data[i] < 0x80 && !is_alphanumeric(text.data[i]))
			(void)buffer_append_byte(out, '\\');
		(void)buffer_append_byte(out, text.data[i]);
	}
}

/* Whatever stands behind one of DELIMITERS. */
static void put_extension(struct bytes delimiters, struct buffer *out)
{
	if (delimiters.size == 0)
		return;
	(void)buffer_append_text(out, "(?:[");
	put_literal(out, delimiters);
	(void)buffer_append_text(out, "].*)?");
}

static void put_expression(struct bytes local, struct bytes domain, struct bytes delimiters,
			   struct buffer *out)
{
	buffer_clear(out);
	(void)buffer_append_byte(out, '^');
	for (size_t i = 0; i < local.size; i++) {
		if (local.data[i] == '%')
			(void)buffer_append_text(out, ".*");
		else if (local.data[i] == '_')
			(void)buffer_append_byte(out, '.');
		else
			put_literal(out, bytes_make(local.data + i, 1));
	}
	put_extension(delimiters, out);
	(void)buffer_append_byte(out, '@');
	put_literal(out, domain);
	(void)buffer_append_byte(out, '$');
}

/* A dollar is one, and no group. */
static void put_value(struct bytes targets, struct buffer *out)
{
	buffer_clear(out);
	for (size_t i = 0; i < targets.size; i++) {
		if (targets.data[i] == '$')
			(void)buffer_append_byte(out, '$');
		(void)buffer_append_byte(out, targets.data[i]);
	}
}

bool like_pattern_make(struct source_row *row, struct bytes delimiters, struct buffer *expression,
		       struct buffer *value, struct error *err)
{
	struct table_pattern pattern = {
		.kind = TABLE_PATTERN_RULE,
		.flags = TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL |
			 TABLE_PATTERN_DOLLAR_ENDONLY,
	};
	struct bytes like = row->key;
	const char *at = memrchr(like.data, '@', like.size);
	size_t local = at == NULL ? 0 : (size_t)(at - like.data);
	uint32_t groups;

	if (at == NULL || local + 1 == like.size)
		return error_set(err, EX_DATAERR, "a pattern needs an @ and a domain behind it");
	put_expression(bytes_first(like, local), bytes_skip(like, local + 1), delimiters,
		       expression);
	put_value(row->value, value);
	if (expression->has_failed || value->has_failed)
		return error_set_memory(err);
	pattern.expression = buffer_bytes(expression);
	if (!table_pattern_check(&pattern, &groups, err))
		return false;
	row->kind = SOURCE_ROW_PATTERN;
	row->value = buffer_bytes(value);
	row->pattern = (struct source_pattern){
		.kind = pattern.kind,
		.flags = pattern.flags,
		.expression = pattern.expression,
	};
	return true;
}
