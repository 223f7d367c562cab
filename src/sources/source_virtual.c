/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_virtual - Postfix's virtual(5): `key whitespace addresses` a logical line.
 *
 * The key ends at the first white space that is not inside "…" and not behind a backslash. What
 * Postfix skips with a warning is an error here: a line without a value, an open quote, a key that
 * is not UTF-8, a first line that continues nothing.
 */
#include "sources/source.h"

#include <sysexits.h>

#include "base/sixteen.h"
#include "mail/fold.h"
#include "sources/advice.h"
#include "sources/line_source.h"

struct source {
	struct line_source base;
};

static struct source *virtual_open(const struct settings_source *from,
				   const struct settings *settings, struct report *report)
{
	(void)settings; /* there is one way to read it */
	return line_source_open(sizeof(struct source), from, LINES_LOGICAL, report);
}

/* Which of these does a key that needs no thought not have: white space, quotes, `\\`, UTF-8? */
static uint32_t odd_bits(struct sixteen these)
{
	struct sixteen quoting = sixteen_or(sixteen_equal(these, '"'), sixteen_equal(these, '\\'));

	/* From 128 on, over to a blank. */
	return sixteen_bits(sixteen_or(quoting, sixteen_between(these, 0x80, ' ')));
}

/* Where does a key end that needs no thought: ASCII, no quotes? 0: look closer. */
static size_t simple_key_size(struct bytes line)
{
	for (size_t at = 0; line.size - at >= SIXTEEN; at += SIXTEEN) {
		uint32_t odd = odd_bits(sixteen_load(line.data + at));

		if (odd == 0)
			continue;
		at += sixteen_first(odd);
		return byte_is_white(line.data[at]) ? at : 0;
	}
	return 0;
}

/* Where does the key of LINE end? False: inside quotes. */
static bool key_size(struct bytes line, size_t *out_size)
{
	bool is_quoted = false;
	size_t i;

	for (i = 0; i < line.size; i++) {
		char c = line.data[i];

		if (c == '"')
			is_quoted = !is_quoted;
		else if (c == '\\' && i + 1 < line.size)
			i++;
		else if (!is_quoted && byte_is_white(c))
			break;
	}
	*out_size = i;
	return !is_quoted;
}

/* Split LINE into *out_row, or say what is wrong with it. */
static enum line_outcome split_carefully(struct source *source, struct bytes line, uint32_t number,
					 struct source_row *out_row)
{
	struct bytes key, value;
	const char *wrong = NULL;
	char advice[ADVICE_BYTES];
	size_t size;

	if (!key_size(line, &size))
		wrong = "a quote in the key does not end";
	key = bytes_first(line, size);
	value = bytes_trim(bytes_skip(line, size));
	if (wrong == NULL && advice_is_pattern(key, value))
		wrong = "looks like a pattern; should the type be \"regexp\" or \"pcre\"?";
	if (wrong == NULL && value.size == 0)
		wrong = advice_on_one_column(key, advice);
	if (wrong == NULL && !bytes_are_ascii(key) && !fold_accepts(key))
		wrong = "the key is not valid UTF-8, or has characters no address has";
	if (wrong != NULL) {
		report_error(source->base.report, EX_DATAERR, source->base.path, number, "%s",
			     wrong);
		return LINE_IS_NONE;
	}
	if (key.data[key.size - 1] == ':')
		report_warning(source->base.report, WARNING_ALIASES_FILE, source->base.path, number,
			       "the key ends in \":\"; is this an aliases file?");
	*out_row = (struct source_row){
		.kind = SOURCE_ROW_ENTRY, .key = key, .value = value, .line = number
	};
	return LINE_IS_ROW;
}

/* The same, quickly for what nearly all lines are. */
static enum line_outcome split(struct source *source, struct bytes line, uint32_t number,
			       struct source_row *out_row)
{
	size_t size = simple_key_size(line);
	struct bytes value = bytes_trim(bytes_skip(line, size));

	if (size <= 2 || value.size == 0 || line.data[size - 1] == ':' || line.data[0] == '/' ||
	    line.data[0] == '!')
		return split_carefully(source, line, number, out_row);
	out_row->kind = SOURCE_ROW_ENTRY;
	out_row->key = bytes_first(line, size);
	out_row->value = value;
	out_row->line = number;
	return LINE_IS_ROW;
}

static enum source_step virtual_next(struct source *source, struct source_row *out_row)
{
	return line_source_next(source, split, out_row);
}

const struct source_type source_type_virtual = {
	.name = "virtual",
	.open = virtual_open,
	.next = virtual_next,
	.close = line_source_close,
};
