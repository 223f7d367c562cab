/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/dsn.h"

#include <stdint.h>

#include "mail/fold.h"

static const struct {
	const char *name;
	enum dsn_notify value;
} notify_words[] = {
	{ "NEVER", DSN_NOTIFY_NEVER },
	{ "SUCCESS", DSN_NOTIFY_SUCCESS },
	{ "FAILURE", DSN_NOTIFY_FAILURE },
	{ "DELAY", DSN_NOTIFY_DELAY },
};

enum { NOTIFY_WORDS = sizeof(notify_words) / sizeof(notify_words[0]) };

static bool is_visible(char byte)
{
	return byte >= '!' && byte <= '~';
}

static bool is_hex_digit(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F');
}

static bool find_notify_word(struct bytes word, unsigned *out_value)
{
	for (size_t i = 0; i < NOTIFY_WORDS; i++) {
		if (bytes_equal_ascii_nocase(word, bytes_of(notify_words[i].name))) {
			*out_value = notify_words[i].value;
			return true;
		}
	}
	return false;
}

static bool take_notify(struct dsn *dsn, struct bytes list)
{
	unsigned notify = 0;

	if (dsn->notify != DSN_NOTIFY_ABSENT)
		return false;
	for (;;) {
		struct bytes word = bytes_first(list, bytes_index(list, ','));
		unsigned value;

		if (!find_notify_word(word, &value))
			return false;
		notify |= value;
		if (word.size == list.size)
			break;
		list = bytes_skip(list, word.size + 1);
		if (list.size == 0)
			return false;
	}
	if ((notify & DSN_NOTIFY_NEVER) != 0 && notify != DSN_NOTIFY_NEVER)
		return false;
	dsn->notify = notify;
	return true;
}

/* The size of `+2B` at the begin of TEXT; 0: it isn't one. */
static size_t hex_char_size(struct bytes text)
{
	return text.size >= 3 && is_hex_digit(text.data[1]) && is_hex_digit(text.data[2]) ? 3 : 0;
}

/* The size of `\x{2B}` at the begin of TEXT; 0: it isn't one. */
static size_t embedded_size(struct bytes text)
{
	size_t at = 3;

	if (text.size < 6 || text.data[1] != 'x' || text.data[2] != '{')
		return 0;
	while (at < text.size && at < 9 && is_hex_digit(text.data[at]))
		at++;
	return at >= 5 && at < text.size && text.data[at] == '}' ? at + 1 : 0;
}

bool dsn_is_xtext(struct bytes text)
{
	while (text.size > 0) {
		size_t size = 1;

		if (!is_visible(text.data[0]) || text.data[0] == '=')
			return false;
		if (text.data[0] == '+')
			size = hex_char_size(text);
		if (size == 0)
			return false;
		text = bytes_skip(text, size);
	}
	return true;
}

/* The forms of RFC 6533, and xtext of UTF-8 as Postfix before 3.12 wants it. */
static bool is_utf8_address(struct bytes text)
{
	if (!fold_accepts(text))
		return false;
	while (text.size > 0) {
		size_t size = 1;

		if (text.data[0] == ' ' || text.data[0] == '=')
			return false;
		if (text.data[0] == '+')
			size = hex_char_size(text);
		else if (text.data[0] == '\\')
			size = embedded_size(text);
		if (size == 0)
			return false;
		text = bytes_skip(text, size);
	}
	return true;
}

static bool is_type(struct bytes type)
{
	for (size_t i = 0; i < type.size; i++)
		if (!is_visible(type.data[i]) || strchr("()<>@,;:\\\".[]=+", type.data[i]) != NULL)
			return false;
	return type.size > 0;
}

static bool take_orcpt(struct dsn *dsn, struct bytes value)
{
	size_t semicolon = bytes_index(value, ';');
	struct bytes type = bytes_first(value, semicolon);
	struct bytes address = bytes_skip(value, semicolon + 1);

	if (dsn->orcpt.size > 0 || address.size == 0 || !is_type(type))
		return false;
	if (!dsn_is_xtext(address) &&
	    !(bytes_equal_ascii_nocase(type, bytes_of("utf-8")) && is_utf8_address(address)))
		return false;
	dsn->orcpt = value;
	return true;
}

bool dsn_take_parameter(struct dsn *dsn, struct bytes parameter)
{
	size_t equals = bytes_index(parameter, '=');
	struct bytes keyword = bytes_first(parameter, equals);
	struct bytes value = bytes_skip(parameter, equals + 1);

	if (bytes_equal_ascii_nocase(keyword, bytes_of("NOTIFY")))
		return take_notify(dsn, value);
	if (bytes_equal_ascii_nocase(keyword, bytes_of("ORCPT")))
		return take_orcpt(dsn, value);
	return true;
}

unsigned dsn_notify_for_target(unsigned notify, bool is_only_target, bool is_native)
{
	if ((notify & DSN_NOTIFY_SUCCESS) == 0 || (is_only_target && !is_native))
		return notify;
	notify &= ~(unsigned)DSN_NOTIFY_SUCCESS;
	return notify == DSN_NOTIFY_ABSENT ? DSN_NOTIFY_NEVER : notify;
}

static bool print_notify(unsigned notify, struct buffer *out_text)
{
	const char *before = "NOTIFY=";

	for (size_t i = 0; i < NOTIFY_WORDS; i++) {
		if ((notify & notify_words[i].value) == 0)
			continue;
		if (!buffer_append_text(out_text, before) ||
		    !buffer_append_text(out_text, notify_words[i].name))
			return false;
		before = ",";
	}
	return true;
}

/* How many bytes at the begin of TEXT stand for themselves in xtext. */
static size_t plain_size(struct bytes text)
{
	size_t size = 0;

	while (size < text.size && is_visible(text.data[size]) && text.data[size] != '+' &&
	       text.data[size] != '=')
		size++;
	return size;
}

bool dsn_print_xtext(struct bytes text, struct buffer *out_text)
{
	while (text.size > 0) {
		size_t size = plain_size(text);

		if (!buffer_append(out_text, bytes_first(text, size)))
			return false;
		if (size == text.size)
			return true;
		if (!buffer_append_format(out_text, "+%02X", (unsigned char)text.data[size]))
			return false;
		text = bytes_skip(text, size + 1);
	}
	return true;
}

/* Unitext of RFC 6533: UTF-8 as it is, `\x{HH}` for what can't stand for itself. */
static bool print_unitext(struct bytes text, struct buffer *out_text)
{
	for (size_t i = 0; i < text.size; i++) {
		char byte = text.data[i];
		bool is_plain = (unsigned char)byte >= 0x80 ||
				(is_visible(byte) && byte != '+' && byte != '=' && byte != '\\');

		if (!(is_plain ? buffer_append_byte(out_text, byte)
			       : buffer_append_format(out_text, "\\x{%02X}", (unsigned char)byte)))
			return false;
	}
	return true;
}

static bool print_original(struct bytes original, enum dsn_utf8_form form, struct buffer *out_text)
{
	/* What only looks like UTF-8 is bytes; xtext carries any. */
	if (bytes_are_ascii(original) || !fold_accepts(original))
		return buffer_append_text(out_text, "rfc822;") &&
		       dsn_print_xtext(original, out_text);
	if (!buffer_append_text(out_text, "utf-8;"))
		return false;
	return form == DSN_UTF8_RAW ? print_unitext(original, out_text)
				    : dsn_print_xtext(original, out_text);
}

/* The character that `\x{FC}` of SIZE bytes means; 0: one that is better left as it is. */
static uint32_t embedded_character(const char *text, size_t size)
{
	uint32_t character = 0;

	for (size_t i = 3; i + 1 < size; i++) {
		uint32_t digit = (uint32_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'A' + 10);

		character = character * 16 + digit;
	}
	if (character < ' ' || character == 127 || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	return character;
}

/* CHARACTER in UTF-8, as xtext. */
static bool print_character(uint32_t character, struct buffer *out_text)
{
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	char utf8[4];
	size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

	if (size == 1) {
		utf8[0] = (char)character;
		return dsn_print_xtext(bytes_make(utf8, 1), out_text);
	}
	for (size_t i = size - 1; i > 0; i--) {
		utf8[i] = (char)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	utf8[0] = (char)(first[size] | character);
	return dsn_print_xtext(bytes_make(utf8, size), out_text);
}

/*
 * Print the client's ORCPT. Some MTAs read `utf-8;` from a client in the form of RFC 6533, but from
 * a milter as xtext. For them `\x{FC}` becomes the character, and `+` is escaped.
 */
static bool print_given(struct bytes orcpt, enum dsn_utf8_form form, struct buffer *out_text)
{
	size_t semicolon = bytes_index(orcpt, ';');

	if (form == DSN_UTF8_RAW ||
	    !bytes_equal_ascii_nocase(bytes_first(orcpt, semicolon), bytes_of("utf-8")))
		return buffer_append(out_text, orcpt);
	while (orcpt.size > 0) {
		size_t size = orcpt.data[0] == '\\' ? embedded_size(orcpt) : 0;
		uint32_t character = size == 0 ? 0 : embedded_character(orcpt.data, size);

		if (character == 0)
			size = 1;
		if (!(character == 0 ? dsn_print_xtext(bytes_first(orcpt, 1), out_text)
				     : print_character(character, out_text)))
			return false;
		orcpt = bytes_skip(orcpt, size);
	}
	return true;
}

bool dsn_print_parameters(unsigned notify, struct bytes orcpt, struct bytes original,
			  enum dsn_utf8_form form, struct buffer *out_text)
{
	size_t size_before = out_text->size;

	if (!print_notify(notify, out_text))
		return false;
	if (orcpt.size == 0 && original.size == 0)
		return true;
	if (out_text->size > size_before && !buffer_append_byte(out_text, ' '))
		return false;
	if (!buffer_append_text(out_text, "ORCPT="))
		return false;
	return orcpt.size > 0 ? print_given(orcpt, form, out_text)
			      : print_original(original, form, out_text);
}
