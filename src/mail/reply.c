/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/reply.h"

#include <assert.h>
#include <stdio.h>
#include <sysexits.h>

#include <unistr.h>

#include "mail/characters.h"

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_code(struct bytes word)
{
	return word.size == 3 && (word.data[0] == '4' || word.data[0] == '5') &&
	       word.data[1] >= '0' && word.data[1] <= '5' && is_digit(word.data[2]);
}

/* One to three digits; moves *at behind them. */
static bool skip_number(struct bytes word, size_t *at)
{
	size_t begin = *at;

	while (*at < word.size && is_digit(word.data[*at]))
		(*at)++;
	return *at > begin && *at - begin <= 3;
}

/* `5.1.1`: of any class, so that a wrong one is noticed. */
static bool is_enhanced(struct bytes word)
{
	size_t at = 2;

	if (word.size < 5 || !is_digit(word.data[0]) || word.data[1] != '.')
		return false;
	if (!skip_number(word, &at) || at >= word.size || word.data[at++] != '.')
		return false;
	return skip_number(word, &at) && at == word.size;
}

static struct bytes first_word(struct bytes text)
{
	return bytes_first(text, bytes_index(text, ' '));
}

static struct bytes trim(struct bytes text)
{
	while (text.size > 0 && text.data[0] == ' ')
		text = bytes_skip(text, 1);
	while (text.size > 0 && text.data[text.size - 1] == ' ')
		text.size--;
	return text;
}

static bool check_text(struct bytes text, struct error *err)
{
	if (text.size > REPLY_TEXT_MAX)
		return error_set(err, EX_DATAERR, "the text of a reply is longer than %d bytes",
				 (int)REPLY_TEXT_MAX);
	for (size_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
			return error_set(err, EX_DATAERR,
					 "the text of a reply has a control byte in it");
	if (u8_check((const uint8_t *)text.data, text.size) != NULL)
		return error_set(err, EX_DATAERR, "the text of a reply is not UTF-8");
	return true;
}

static bool check_code(struct bytes code, struct error *err)
{
	if (!is_code(code))
		return error_set(err, EX_DATAERR,
				 "a reply begins with a code like 450 or 550 and a space");
	/* This code ends the whole SMTP session, with all its recipients. */
	if (bytes_equal(code, bytes_of("421")))
		return error_set(err, EX_DATAERR, "421 is no reply to a recipient: use 450");
	return true;
}

bool reply_parse(struct bytes line, struct reply *out_reply, struct error *err)
{
	struct reply reply = { .enhanced = "" };
	struct bytes code = first_word(trim(line));
	struct bytes text = trim(bytes_skip(trim(line), code.size));
	struct bytes enhanced = first_word(text);

	if (!check_code(code, err))
		return false;
	memcpy(reply.code, code.data, code.size);
	if (is_enhanced(enhanced)) {
		if (enhanced.data[0] != code.data[0])
			return error_set(err, EX_DATAERR,
					 "the enhanced code of a reply must begin with %c as "
					 "its code does",
					 code.data[0]);
		memcpy(reply.enhanced, enhanced.data, enhanced.size);
		text = trim(bytes_skip(text, enhanced.size));
	} else {
		(void)snprintf(reply.enhanced, sizeof(reply.enhanced), "%c.0.0",
			       code.data[0]); /* fits */
	}
	if (!check_text(text, err))
		return false;
	reply.text = text;
	reply.words = text;
	*out_reply = reply;
	return true;
}

/* Write as much of TEXT as ROOM has place for, whole characters; returns the size. */
static size_t put_shown(struct bytes text, char *at, size_t room)
{
	size_t size = 0;

	/* Nearly always this is all of it. */
	while (size < text.size && size < room && text.data[size] >= ' ' &&
	       text.data[size] <= '~') {
		at[size] = text.data[size];
		size++;
	}
	text = bytes_skip(text, size);
	while (text.size > 0) {
		size_t used = character_shown_size(text);
		size_t one_size = used > 0 ? used : 1;

		if (size + one_size > room)
			break;
		if (used > 0)
			memcpy(at + size, text.data, used);
		else
			at[size] = '?';
		size += one_size;
		text = bytes_skip(text, one_size);
	}
	return size;
}

/* Write `<ADDRESS>: `; what doesn't fit into ROOM is cut from the address. */
static size_t put_address(struct bytes address, char *at, size_t room)
{
	static const char end[] = ">: ", cut_end[] = "...>: ";
	struct bytes tail = bytes_of(end);
	size_t size = 1;

	if (room < sizeof(cut_end) + 1)
		return 0;
	at[0] = '<';
	if (address.size > room - 1 - tail.size) {
		tail = bytes_of(cut_end);
		size += put_shown(address, at + 1, room - 1 - tail.size);
	} else {
		size += put_shown(address, at + 1, address.size);
	}
	memcpy(at + size, tail.data, tail.size);
	return size + tail.size;
}

bool reply_make(const char *code, const char *enhanced, const struct bytes *address,
		const char *text, struct arena *arena, struct reply *out_reply)
{
	struct bytes words = bytes_first(bytes_of(text), REPLY_TEXT_MAX);
	char *at = arena_alloc(arena, REPLY_TEXT_MAX);
	struct reply reply = { .code = "" };
	size_t size = 0;
	size_t begin;

	assert(is_code(bytes_of(code)) && is_enhanced(bytes_of(enhanced)));
	assert(code[0] == enhanced[0]);
	if (at == NULL)
		return false;
	memcpy(reply.code, code, sizeof(reply.code));
	memcpy(reply.enhanced, enhanced, strlen(enhanced) + 1); /* fits, as asserted */
	if (address != NULL)
		size = put_address(*address, at, REPLY_TEXT_MAX - words.size);
	begin = size;
	size += put_shown(words, at + size, REPLY_TEXT_MAX - size);
	reply.text = bytes_make(at, size);
	reply.words = bytes_skip(reply.text, begin);
	*out_reply = reply;
	return true;
}

bool reply_print(const struct reply *reply, struct buffer *out_text)
{
	if (!buffer_append_text(out_text, reply->code) || !buffer_append_byte(out_text, ' ') ||
	    !buffer_append_text(out_text, reply->enhanced))
		return false;
	return reply->text.size == 0 ||
	       (buffer_append_byte(out_text, ' ') && buffer_append(out_text, reply->text));
}

bool reply_escape_percent(struct bytes text, struct buffer *out_text)
{
	while (text.size > 0) {
		size_t percent = bytes_index(text, '%');

		if (!buffer_append(out_text, bytes_first(text, percent)))
			return false;
		if (percent < text.size && !buffer_append_text(out_text, "%%"))
			return false;
		text = bytes_skip(text, percent + 1);
	}
	return true;
}
