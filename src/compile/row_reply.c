/* SPDX-License-Identifier: BSD-2-Clause */
#include "compile/row_reply.h"

#include <sysexits.h>

#include "base/buffer.h"
#include "mail/reply.h"

enum { VALUE_BYTES_MAX = 2 * REPLY_TEXT_MAX };

/* Keywords of Sendmail's error mailer (cf/README, sysexits names), and what they stand for. */
static const struct keyword {
	const char *word;
	const char *codes;
	const char *text;
} keywords[] = {
	{ "nouser", "550 5.1.1", "User unknown" },
	{ "nohost", "550 5.1.2", "Host unknown" },
	{ "unavailable", "550 5.2.1", "Mailbox unavailable" },
	{ "tempfail", "450 4.0.0", "Temporary failure" },
	{ "protocol", "550 5.5.0", "Protocol error" },
	{ "usage", "553 5.3.0", "Address refused" },
	{ "config", "550 5.3.5", "Local configuration error" },
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool begins_with_code(struct bytes text)
{
	return text.size >= 3 && is_digit(text.data[0]) && is_digit(text.data[1]) &&
	       is_digit(text.data[2]) && (text.size == 3 || text.data[3] == ' ');
}

/* `D.S.N:` in front? Its size with the colon, or 0. */
static size_t enhanced_size(struct bytes text)
{
	size_t colon = bytes_index(text, ':');
	unsigned dots = 0;

	if (colon == text.size || !is_digit(text.data[0]))
		return 0;
	for (size_t i = 0; i < colon; i++) {
		dots += text.data[i] == '.';
		if (!is_digit(text.data[i]) && text.data[i] != '.')
			return 0;
	}
	return dots == 2 ? colon + 1 : 0;
}

static struct bytes trim(struct bytes text)
{
	while (text.size > 0 && strchr(" \t\r\n", text.data[0]) != NULL)
		text = bytes_skip(text, 1);
	while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]) != NULL)
		text.size--;
	return text;
}

static const struct keyword *find_keyword(struct bytes word)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (bytes_equal_ascii_nocase(word, bytes_of(keywords[i].word)))
			return &keywords[i];
	return NULL;
}

/* Put VALUE, in whichever form, into the order code, enhanced code, text. */
static bool put_in_order(struct bytes value, struct buffer *line, struct error *err)
{
	size_t enhanced = enhanced_size(value);
	struct bytes word = bytes_first(value, bytes_index(value, ' '));
	const struct keyword *keyword = find_keyword(word);

	if (enhanced > 0) {
		struct bytes rest = trim(bytes_skip(value, enhanced));

		if (!begins_with_code(rest))
			return error_set(err, EX_DATAERR,
					 "error: a code like 550 must follow the enhanced code");
		return buffer_append(line, bytes_first(rest, 3)) && buffer_append_byte(line, ' ') &&
		       buffer_append(line, bytes_first(value, enhanced - 1)) &&
		       buffer_append(line, bytes_skip(rest, 3));
	}
	if (keyword != NULL) {
		struct bytes rest = trim(bytes_skip(value, word.size));

		if (begins_with_code(rest))
			return buffer_append(line, rest);
		return buffer_append_text(line, keyword->codes) && buffer_append_byte(line, ' ') &&
		       buffer_append(line, rest.size > 0 ? rest : bytes_of(keyword->text));
	}
	if (!begins_with_code(value) && !buffer_append_text(line, "550 5.0.0 "))
		return false;
	return buffer_append(line, value);
}

bool row_reply_parse(struct bytes value, struct arena *arena, struct bytes *out_reply,
		     struct error *err)
{
	struct buffer line;
	struct buffer canonical;
	struct reply reply;
	bool is_parsed = false;

	buffer_init(&line, 2UL * VALUE_BYTES_MAX);
	buffer_init(&canonical, 2UL * VALUE_BYTES_MAX);
	value = trim(value);
	if (value.size == 0) {
		error_fill(err, EX_DATAERR, "error: a reply must follow");
		goto out;
	}
	if (value.size > VALUE_BYTES_MAX) {
		error_fill(err, EX_DATAERR, "error: the reply is too long");
		goto out;
	}
	if (!put_in_order(value, &line, err)) {
		if (line.has_failed)
			error_fill_memory(err); /* it can't be the length any more */
		goto out;
	}
	if (!reply_parse(buffer_bytes(&line), &reply, err))
		goto out;
	is_parsed = reply_print(&reply, &canonical) &&
		    arena_copy(arena, buffer_bytes(&canonical), out_reply);
	if (!is_parsed)
		error_fill_memory(err);
out:
	buffer_free(&line);
	buffer_free(&canonical);
	return is_parsed;
}
