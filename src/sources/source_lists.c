/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_lists - plain lists, one item a line: `domains` (alias domains) and `recipients` (known
 * mailboxes). One more word behind the item is passed over, so that the tables which Postfix wants
 * for such lists (`example.com OK`) can be used as they are.
 */
#include "sources/source.h"

#include <sysexits.h>

#include "mail/fold.h"
#include "sources/line_source.h"

struct source {
	struct line_source base;
	enum source_row_kind kind;
};

static struct source *list_open(const struct settings_source *from, enum source_row_kind kind,
				struct report *report)
{
	struct source *source = line_source_open(sizeof(*source), from, LINES_PHYSICAL, report);

	if (source != NULL)
		source->kind = kind;
	return source;
}

static struct source *domains_open(const struct settings_source *from,
				   const struct settings *settings, struct report *report)
{
	(void)settings; /* there is one way to read it */
	return list_open(from, SOURCE_ROW_DOMAIN, report);
}

static struct source *recipients_open(const struct settings_source *from,
				      const struct settings *settings, struct report *report)
{
	(void)settings; /* there is one way to read it */
	return list_open(from, SOURCE_ROW_RECIPIENT, report);
}

/* The first word of TEXT, which ends at white space outside quotes; *rest is what follows. */
static bool take_word(struct bytes *rest, struct bytes *out_word)
{
	struct bytes text = *rest;
	bool is_quoted = false;
	size_t i;

	for (i = 0; i < text.size && (is_quoted || !byte_is_white(text.data[i])); i++) {
		if (text.data[i] == '"')
			is_quoted = !is_quoted;
		else if (text.data[i] == '\\' && i + 1 < text.size)
			i++;
	}
	*out_word = bytes_first(text, i);
	*rest = bytes_trim(bytes_skip(text, i));
	return !is_quoted;
}

static enum line_outcome split(struct source *source, struct bytes line, uint32_t number,
			       struct source_row *out_row)
{
	struct bytes rest = bytes_trim(line);
	struct bytes item, more;
	const char *wrong = NULL;

	if (!take_word(&rest, &item))
		wrong = "a quote does not end";
	else if (!bytes_are_ascii(item) && !fold_accepts(item))
		wrong = "not valid UTF-8, or has characters no address has";
	else if (!take_word(&rest, &more) || rest.size > 0)
		wrong = "expected: one item a line";
	else if (bytes_contain(more, '@'))
		wrong = "a list has no targets; should the type be \"virtual\"?";
	else if (source->kind == SOURCE_ROW_DOMAIN && bytes_contain(item, '@'))
		wrong = "expected: a domain, not an address";
	if (wrong != NULL) {
		report_error(source->base.report, EX_DATAERR, source->base.path, number, "%s",
			     wrong);
		return LINE_IS_NONE;
	}
	*out_row = (struct source_row){ .kind = source->kind, .key = item, .line = number };
	return LINE_IS_ROW;
}

static enum source_step list_next(struct source *source, struct source_row *out_row)
{
	return line_source_next(source, split, out_row);
}

const struct source_type source_type_domains = {
	.name = "domains",
	.open = domains_open,
	.next = list_next,
	.close = line_source_close,
};

const struct source_type source_type_recipients = {
	.name = "recipients",
	.open = recipients_open,
	.next = list_next,
	.close = line_source_close,
};
