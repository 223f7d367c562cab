/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/pattern_sample.h"

#include <stdint.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { DEPTH_MAX = 60, GROUPS_MAX = 10 };

/* An expression on its way to a sample. */
struct sample {
	struct bytes rest;
	const struct sample_style *style;
	struct buffer *out;
	unsigned depth; /* of groups */
	unsigned groups;
	struct {
		size_t begin, end;
	} group[GROUPS_MAX]; /* what they made, for references */
};

static char peek(const struct sample *sample, size_t ahead)
{
	return ahead < sample->rest.size ? sample->rest.data[ahead] : '\0';
}

static bool is_next(const struct sample *sample, size_t ahead, const char *set)
{
	char next = peek(sample, ahead);

	return next != '\0' && strchr(set, next) != NULL;
}

static void skip(struct sample *sample, size_t size)
{
	sample->rest = bytes_skip(sample->rest, size);
}

static bool put(struct sample *sample, char byte)
{
	return buffer_append_byte(sample->out, byte);
}

/* ---- one byte of several ----------------------------------------------------------------------
 */

static bool fits(const pcre2_code *code, pcre2_match_data *data, char byte)
{
	return pcre2_match(code, (PCRE2_SPTR)&byte, 1, 0, 0, data, NULL) >= 0;
}

/* The filler, or the first of what an address may have. '\0': none. */
static char choose(const struct sample *sample, const pcre2_code *code, pcre2_match_data *data)
{
	static const char usual[] = "xa1-.+_@b2";

	if (fits(code, data, sample->style->filler))
		return sample->style->filler;
	for (size_t i = 0; usual[i] != '\0'; i++)
		if (fits(code, data, usual[i]))
			return usual[i];
	for (int byte = '!'; byte <= '~'; byte++)
		if (fits(code, data, (char)byte))
			return (char)byte;
	return '\0';
}

/* Put a byte that ITEM, a class or an escape, matches: PCRE2 itself says which. */
static bool put_member(struct sample *sample, struct bytes item)
{
	int number;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)item.data, item.size, 0, &number, &at, NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	char byte = code != NULL && data != NULL ? choose(sample, code, data) : '\0';

	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return byte != '\0' && put(sample, byte);
}

/* The size of the class at the rest; 0: it doesn't end. */
static size_t class_size(const struct sample *sample)
{
	size_t at = 1;

	at += peek(sample, at) == '^';
	at += peek(sample, at) == ']';
	while (at < sample->rest.size && peek(sample, at) != ']') {
		if (peek(sample, at) == '[' && is_next(sample, at + 1, ":.=")) {
			char kind = peek(sample, ++at);

			while (at < sample->rest.size &&
			       (peek(sample, at) != kind || peek(sample, at + 1) != ']'))
				at++;
			at += 2;
		} else {
			at += peek(sample, at) == '\\' ? 2 : 1;
		}
	}
	return at < sample->rest.size ? at + 1 : 0;
}

static bool sample_class(struct sample *sample)
{
	struct bytes item = bytes_first(sample->rest, class_size(sample));

	skip(sample, item.size);
	return item.size > 0 && put_member(sample, item);
}

/* What the group NUMBER made. */
static bool put_reference(struct sample *sample, unsigned number)
{
	char text[SAMPLE_BYTES_MAX];
	size_t size;

	if (number == 0 || number > sample->groups || number >= GROUPS_MAX)
		return false;
	size = sample->group[number].end - sample->group[number].begin;
	if (size > sizeof(text))
		return false;
	if (size > 0)
		memcpy(text, sample->out->data + sample->group[number].begin, size);
	return buffer_append(sample->out, bytes_make(text, size));
}

static bool sample_escape(struct sample *sample)
{
	struct bytes item = bytes_first(sample->rest, 2);

	if (item.size < 2)
		return false;
	skip(sample, 2);
	if (strchr("dDwWsShHvVN", item.data[1]) != NULL)
		return put_member(sample, item);
	if (strchr("bBAzZGK", item.data[1]) != NULL)
		return true;
	if (item.data[1] >= '1' && item.data[1] <= '9')
		return put_reference(sample, (unsigned)(item.data[1] - '0'));
	if (item.data[1] == 'g' && peek(sample, 0) == '{' && peek(sample, 2) == '}') {
		unsigned number = (unsigned)(unsigned char)peek(sample, 1) - '0';

		skip(sample, 3);
		return put_reference(sample, number);
	}
	if ((item.data[1] >= 'a' && item.data[1] <= 'z') ||
	    (item.data[1] >= 'A' && item.data[1] <= 'Z') || item.data[1] == '0')
		return false;
	return put(sample, item.data[1]);
}

/* ---- groups -----------------------------------------------------------------------------------
 */

static bool sample_sequence(struct sample *sample);

/* Step behind the end of the group that is open. */
static bool skip_group(struct sample *sample)
{
	unsigned depth = 1;

	while (sample->rest.size > 0 && depth > 0) {
		size_t size = 1;

		if (peek(sample, 0) == '\\')
			size = 2;
		else if (peek(sample, 0) == '[')
			size = class_size(sample);
		if (size == 0)
			return false;
		/* Its number counts, whoever asks for it. */
		sample->groups += peek(sample, 0) == '(' && !is_next(sample, 1, "?*");
		depth += peek(sample, 0) == '(';
		depth -= peek(sample, 0) == ')';
		skip(sample, size);
	}
	return depth == 0;
}

/* `(?…`: *OUT_IS_EMPTY: it makes nothing, and the rest is behind it. */
static bool begin_special(struct sample *sample, bool *out_is_empty, bool *out_is_group)
{
	size_t at = 2;

	*out_is_group = false;
	*out_is_empty = true;
	if (is_next(sample, at, ":>")) {
		skip(sample, at + 1);
		*out_is_empty = false;
		return true;
	}
	at += peek(sample, at) == 'P';
	if (peek(sample, at) == '<' && !is_next(sample, at + 1, "=!")) {
		skip(sample, bytes_index(sample->rest, '>') + 1);
		*out_is_group = true;
		*out_is_empty = false;
		return sample->rest.size > 0;
	}
	/* Options, and what looks ahead or behind. */
	if (!is_next(sample, 2, "=!<imsx-U"))
		return false;
	skip(sample, 1);
	return skip_group(sample);
}

static bool sample_group(struct sample *sample)
{
	bool is_empty = false;
	bool is_group = true;
	unsigned number;

	if (peek(sample, 1) == '*' || sample->depth == DEPTH_MAX)
		return false;
	if (peek(sample, 1) != '?')
		skip(sample, 1);
	else if (!begin_special(sample, &is_empty, &is_group))
		return false;
	if (is_empty)
		return true;
	sample->groups += is_group;
	number = is_group && sample->groups < GROUPS_MAX ? sample->groups : 0;
	sample->group[number].begin = sample->out->size;
	sample->depth++;
	if (!sample_sequence(sample))
		return false;
	sample->depth--;
	sample->group[number].end = sample->out->size;
	/* The first of several ways will do. */
	return skip_group(sample);
}

/* ---- repetition -------------------------------------------------------------------------------
 */

static unsigned take_number(struct sample *sample)
{
	unsigned number = 0;

	while (is_next(sample, 0, "0123456789") && number < SAMPLE_BYTES_MAX) {
		number = number * 10 + (unsigned)(peek(sample, 0) - '0');
		skip(sample, 1);
	}
	return number;
}

/* How often the item before the rest is there. */
static unsigned take_count(struct sample *sample)
{
	unsigned some = sample->style->is_short ? 0 : 1;
	unsigned count = 1;

	if (is_next(sample, 0, "*?")) {
		count = some;
		skip(sample, 1);
	} else if (peek(sample, 0) == '+') {
		skip(sample, 1);
	} else if (peek(sample, 0) == '{') {
		skip(sample, 1);
		count = take_number(sample);
		count = count == 0 ? some : count;
		skip(sample, bytes_index(sample->rest, '}') + 1);
	} else {
		return 1;
	}
	if (is_next(sample, 0, "?+"))
		skip(sample, 1); /* lazy or possessive */
	return count;
}

/* What stands in OUT from BEGIN on is there COUNT times. */
static bool repeat(struct sample *sample, size_t begin, unsigned count)
{
	size_t size = sample->out->size - begin;
	char text[SAMPLE_BYTES_MAX];

	if (count == 0)
		sample->out->size = begin;
	if (count <= 1 || size == 0)
		return true;
	if (size > sizeof(text))
		return false;
	memcpy(text, sample->out->data + begin, size);
	while (--count > 0)
		if (!buffer_append(sample->out, bytes_make(text, size)))
			return false;
	return true;
}

static bool sample_item(struct sample *sample)
{
	char c = peek(sample, 0);

	switch (c) {
	case '(':
		return sample_group(sample);
	case '[':
		return sample_class(sample);
	case '\\':
		return sample_escape(sample);
	default:
		skip(sample, 1);
		if (c == '^' || c == '$')
			return true;
		return put(sample, c == '.' ? sample->style->filler : c);
	}
}

/* Up to the end of the group, or of the first of several ways; that isn't taken. */
static bool sample_sequence(struct sample *sample)
{
	while (sample->rest.size > 0 && !is_next(sample, 0, "|)")) {
		size_t begin = sample->out->size;

		if (!sample_item(sample) || !repeat(sample, begin, take_count(sample)))
			return false;
	}
	return true;
}

bool pattern_sample_make(struct bytes expression, const struct sample_style *style,
			 struct buffer *out_text)
{
	struct sample sample = { .rest = expression, .style = style, .out = out_text };

	return sample_sequence(&sample);
}
