/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/sql_tokens.h"

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static size_t word_size(struct bytes text)
{
	size_t size = 0;

	/* A dollar in a name is allowed; in front it begins something else. */
	while (size < text.size &&
	       (is_word_byte(text.data[size]) || (size > 0 && text.data[size] == '$')))
		size++;
	return size;
}

/* The size of what begins with a quote and ends in CLOSING, which is doubled to stand for itself;
 * 0: it doesn't end. */
static size_t quoted_size(struct bytes text, char closing)
{
	for (size_t i = 1; i < text.size; i++) {
		if (text.data[i] != closing)
			continue;
		if (i + 1 < text.size && text.data[i + 1] == closing && closing != ']')
			i++;
		else
			return i + 1;
	}
	return 0;
}

static size_t symbol_size(struct bytes text)
{
	static const char *const pairs[] = { "||", "<>", "!=", "<=", ">=", "::", ":=" };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (bytes_begin_with(text, bytes_of(pairs[i])))
			return 2;
	return 1;
}

static bool begins_comment(struct bytes text)
{
	return bytes_begin_with(text, bytes_of("--")) || bytes_begin_with(text, bytes_of("/*")) ||
	       text.data[0] == '#';
}

static enum sql_kind measure_quoted(struct bytes text, char closing, enum sql_kind kind,
				    size_t *out_size)
{
	*out_size = quoted_size(text, closing);
	if (*out_size > 0 && !bytes_contain(bytes_first(text, *out_size), '\\'))
		return kind;
	*out_size = text.size;
	return SQL_UNKNOWN;
}

/* What TEXT, which isn't empty, begins with. */
static enum sql_kind measure(struct bytes text, bool is_mysql, size_t *out_size)
{
	switch (text.data[0]) {
	case '\'':
		return measure_quoted(text, '\'', SQL_TEXT, out_size);
	case '"':
		return measure_quoted(text, '"', is_mysql ? SQL_TEXT : SQL_NAME, out_size);
	case '`':
		return measure_quoted(text, '`', SQL_NAME, out_size);
	case '[':
		return measure_quoted(text, ']', SQL_NAME, out_size);
	default:
		break;
	}
	*out_size = word_size(text);
	if (*out_size > 0)
		return *out_size < text.size && text.data[*out_size] == '\'' ? SQL_UNKNOWN
									     : SQL_WORD;
	*out_size = symbol_size(text);
	return begins_comment(text) || text.data[0] == '$' || text.data[0] == '\\' ? SQL_UNKNOWN
										   : SQL_SYMBOL;
}

void sql_next(struct bytes *rest, bool is_mysql, struct sql_token *out_token)
{
	size_t size;

	while (rest->size > 0 && byte_is_white(rest->data[0]))
		*rest = bytes_skip(*rest, 1);
	*out_token = (struct sql_token){ .kind = SQL_END };
	if (rest->size == 0)
		return;
	out_token->kind = measure(*rest, is_mysql, &size);
	out_token->text = bytes_first(*rest, size);
	if (out_token->kind == SQL_TEXT)
		out_token->inside = bytes_make(rest->data + 1, size - 2);
	*rest = bytes_skip(*rest, size);
}

bool sql_is_word(const struct sql_token *token, const char *word)
{
	return token->kind == SQL_WORD && bytes_equal_ascii_nocase(token->text, bytes_of(word));
}

bool sql_is_symbol(const struct sql_token *token, const char *symbol)
{
	return token->kind == SQL_SYMBOL && bytes_equal(token->text, bytes_of(symbol));
}

bool sql_is_one_of(const struct sql_token *token, const char *const *words)
{
	for (; *words != NULL; words++)
		if (sql_is_word(token, *words))
			return true;
	return false;
}
