/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/key_template.h"

#include <string.h>
#include <sysexits.h>

struct filler {
	struct bytes key;
	struct bytes value; /* what %s, %u and %d are of */
	template_escape *escape;
	void *context;
	struct error *err;
};

/* ---- parts -------------------------------------------------------------------------------- */

/* Where the @ is that ends the local part; the size: there is none. */
static size_t last_at(struct bytes text)
{
	for (size_t i = text.size; i > 0; i--)
		if (text.data[i - 1] == '@')
			return i - 1;
	return text.size;
}

/* False: `@domain` has none. Without an @ all of it is. */
static bool user_of(struct bytes text, struct bytes *out_part)
{
	*out_part = bytes_first(text, last_at(text));
	return out_part->size > 0;
}

static bool domain_of(struct bytes text, struct bytes *out_part)
{
	*out_part = bytes_skip(text, last_at(text) + 1);
	return out_part->size > 0;
}

/* The NUMBERth label of the key's domain from the right. */
static bool label_of(struct bytes key, int number, struct bytes *out_part)
{
	struct bytes rest;

	if (!domain_of(key, &rest))
		return false;
	for (;;) {
		size_t begin = rest.size;

		while (begin > 0 && rest.data[begin - 1] != '.')
			begin--;
		*out_part = bytes_make(rest.data + begin, rest.size - begin);
		if (out_part->size == 0)
			return false;
		if (--number == 0)
			return true;
		if (begin == 0)
			return false;
		rest.size = begin - 1;
	}
}

static bool part_of(const struct filler *filler, char letter, struct bytes *out_part)
{
	switch (letter) {
	case 's':
		*out_part = filler->value;
		return true;
	case 'S':
		*out_part = filler->key;
		return true;
	case 'u':
		return user_of(filler->value, out_part);
	case 'U':
		return user_of(filler->key, out_part);
	case 'd':
		return domain_of(filler->value, out_part);
	case 'D':
		return domain_of(filler->key, out_part);
	default:
		return label_of(filler->key, letter - '0', out_part);
	}
}

/* ---- filling ------------------------------------------------------------------------------ */

/* A step through TEMPLATE: the text up to the next directive, and its letter, or NUL at the end. */
static struct bytes next_piece(struct bytes *rest, char *out_letter)
{
	size_t size = bytes_index(*rest, '%');
	struct bytes text = bytes_first(*rest, size);

	*out_letter = size + 1 < rest->size ? rest->data[size + 1] : '\0';
	if (size + 1 == rest->size) /* a lone % at the end: no directive that there is */
		*out_letter = ' ';
	*rest = bytes_skip(*rest, size + 2);
	return text;
}

bool key_template_check(struct bytes template, struct error *err)
{
	char letter;

	do {
		(void)next_piece(&template, &letter); /* only the letter is wanted */
		if (letter != '\0' && strchr("sudSUD123456789%", letter) == NULL)
			return error_set(err, EX_CONFIG,
					 "%%%c is none of %%s %%u %%d %%S %%U %%D %%1 to %%9 %%%%",
					 letter > ' ' && letter < 0x7f ? letter : ' ');
	} while (letter != '\0');
	return true;
}

bool key_template_has(struct bytes template, char letter)
{
	char found;

	do {
		(void)next_piece(&template, &found); /* only the letter is wanted */
		if (found == letter)
			return true;
	} while (found != '\0');
	return false;
}

static bool put(const struct filler *filler, struct bytes part, struct buffer *out)
{
	return filler->escape == NULL ? buffer_append(out, part)
				      : filler->escape(filler->context, part, out, filler->err);
}

static enum template_outcome fill(const struct filler *filler, struct bytes template,
				  struct buffer *out)
{
	char letter;

	do {
		struct bytes part;

		(void)buffer_append(out, next_piece(&template, &letter)); /* checked at the end */
		if (letter == '\0')
			break;
		if (letter == '%')
			(void)buffer_append_byte(out, '%'); /* likewise */
		else if (!part_of(filler, letter, &part))
			return TEMPLATE_HAS_NO_VALUE;
		else if (!put(filler, part, out))
			return TEMPLATE_FAILED;
	} while (true);
	return out->has_failed ? TEMPLATE_FAILED : TEMPLATE_FILLED;
}

enum template_outcome key_template_query(struct bytes template, struct bytes key,
					 template_escape *escape, void *context, struct buffer *out,
					 struct error *err)
{
	const struct filler filler = {
		.key = key, .value = key, .escape = escape, .context = context, .err = err
	};

	error_fill_memory(err); /* unless there is more to say */
	return fill(&filler, template, out);
}

enum template_outcome key_template_result(struct bytes template, struct bytes key,
					  struct bytes value, struct buffer *out)
{
	const struct filler filler = { .key = key, .value = value };

	return fill(&filler, template, out);
}
