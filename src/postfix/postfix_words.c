/* SPDX-License-Identifier: BSD-2-Clause */
#include "postfix/postfix_words.h"

bool postfix_next_line(struct bytes *rest, struct bytes *out_line)
{
	size_t size = bytes_index(*rest, '\n');

	if (rest->size == 0)
		return false;
	*out_line = bytes_first(*rest, size);
	*rest = bytes_skip(*rest, size + 1);
	return true;
}

static bool is_separator(char byte)
{
	return byte == ' ' || byte == '\t' || byte == ',' || byte == '\r' || byte == '\n';
}

bool postfix_next_word(struct bytes *rest, struct bytes *out_word)
{
	size_t size = 0;
	int depth = 0;

	while (rest->size > 0 && is_separator(rest->data[0]))
		*rest = bytes_skip(*rest, 1);
	if (rest->size == 0)
		return false;
	while (size < rest->size && (depth > 0 || !is_separator(rest->data[size]))) {
		depth += rest->data[size] == '{';
		depth -= rest->data[size] == '}';
		size++;
	}
	*out_word = bytes_first(*rest, size);
	*rest = bytes_skip(*rest, size);
	return true;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

struct bytes postfix_trim(struct bytes text)
{
	while (text.size > 0 && is_blank(text.data[0]))
		text = bytes_skip(text, 1);
	while (text.size > 0 && is_blank(text.data[text.size - 1]))
		text.size--;
	return text;
}

struct bytes postfix_unbrace(struct bytes word)
{
	if (word.size >= 2 && word.data[0] == '{' && word.data[word.size - 1] == '}')
		return postfix_trim(bytes_make(word.data + 1, word.size - 2));
	return word;
}

bool postfix_is_map(struct bytes word)
{
	size_t colon = bytes_index(word, ':');

	return colon > 0 && colon < word.size && word.data[0] != '[' && word.data[0] != '/';
}

bool postfix_has_word(struct bytes list, const char *word)
{
	struct bytes found;

	while (postfix_next_word(&list, &found))
		if (bytes_equal_ascii_nocase(found, bytes_of(word)))
			return true;
	return false;
}

void postfix_list_without(struct buffer *out, struct bytes list, struct bytes word)
{
	struct bytes found;
	size_t before = out->size;

	while (postfix_next_word(&list, &found)) {
		if (bytes_equal_ascii_nocase(found, word))
			continue;
		if (out->size > before)
			(void)buffer_append_text(out, ", "); /* marked */
		(void)buffer_append(out, found);             /* marked */
	}
}

static bool needs_no_comma(char byte)
{
	return byte == '{' || byte == '=';
}

void postfix_append_dense(struct buffer *out, struct bytes value)
{
	bool has_gap = false;
	char last = '{';

	for (size_t i = 0; i < value.size; i++) {
		char byte = value.data[i];

		if (is_separator(byte)) {
			has_gap = true;
			continue;
		}
		if (has_gap && !needs_no_comma(last) && byte != '}' && byte != '=')
			(void)buffer_append_byte(out, ','); /* marked */
		(void)buffer_append_byte(out, byte);        /* marked */
		has_gap = false;
		last = byte;
	}
}

void postfix_append_quoted(struct buffer *out, struct bytes text)
{
	(void)buffer_append_byte(out, '\''); /* this and all that follows: marked */
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\'')
			(void)buffer_append_text(out, "'\\''");
		else
			(void)buffer_append_byte(out, text.data[i]);
	(void)buffer_append_byte(out, '\'');
}
