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

#include "mail/fold.h"
#include "sources/line_source.h"

struct source {
	struct line_source base;
	char domain[PLAIN_DOMAIN_MAX]; /* of the last plain key: the next has it too */
	size_t domain_size;
};

static struct source *virtual_open(const struct settings_source *from,
				   const struct settings *settings, struct report *report)
{
	(void)settings; /* there is one way to read it */
	return line_source_open(sizeof(struct source), from, LINES_LOGICAL, report);
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
		else if (!is_quoted && lines_is_white(c))
			break;
	}
	*out_size = i;
	return !is_quoted;
}

/* The same as split() for a key that needs no thought. */
static bool split_plain(struct source *source, struct bytes line, uint32_t number,
			struct source_row *out_row)
{
	struct plain_address key;
	size_t size = plain_address(line, bytes_make(source->domain, source->domain_size), &key);

	if (size == 0 || key.has_upper || size >= line.size || !lines_is_white(line.data[size]))
		return false;
	out_row->value = lines_trim(bytes_skip(line, size + 1));
	if (out_row->value.size == 0)
		return false;
	out_row->kind = SOURCE_ROW_ENTRY;
	out_row->key = bytes_first(line, size);
	out_row->line = number;
	out_row->plain_key = key;
	/* Of a row that is handed out: the next one's key may say "the same". */
	if (!key.is_last_domain) {
		source->domain_size = key.domain.size;
		memcpy(source->domain, key.domain.data, key.domain.size);
	}
	return true;
}

/* Split LINE into *out_row, or say what is wrong with it. */
static enum line_outcome split(struct source *source, struct bytes line, uint32_t number,
			       struct source_row *out_row)
{
	struct bytes key, value;
	const char *wrong = NULL;
	size_t size;

	if (split_plain(source, line, number, out_row))
		return LINE_IS_ROW;
	if (!key_size(line, &size))
		wrong = "a quote in the key does not end";
	key = bytes_first(line, size);
	value = lines_trim(bytes_skip(line, size));
	if (wrong == NULL && value.size == 0)
		wrong = "expected: key whitespace value";
	if (wrong == NULL && !bytes_are_ascii(key) && !fold_accepts(key))
		wrong = "the key is not valid UTF-8, or has characters no address has";
	if (wrong != NULL) {
		report_error(source->base.report, EX_DATAERR, source->base.path, number, "%s",
			     wrong);
		return LINE_IS_NONE;
	}
	if (key.data[key.size - 1] == ':')
		report_warning(source->base.report, source->base.path, number,
			       "the key ends in \":\"; is this an aliases file?");
	*out_row = (struct source_row){
		.kind = SOURCE_ROW_ENTRY, .key = key, .value = value, .line = number
	};
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
