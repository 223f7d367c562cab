/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_pattern - Postfix's pattern tables: regexp_table(5) and pcre_table(5).
 *
 *   /pattern/flags value      !/pattern/flags value      /pattern/!/other/ value (regexp)
 *   if /pattern/flags … endif
 *
 * A rule that Postfix skips with a warning is an error here. POSIX patterns are translated: PCRE2
 * alone matches while mail flows.
 */
#include "sources/source.h"

#include <sysexits.h>

#include "base/buffer.h"
#include "sources/advice.h"
#include "sources/line_source.h"
#include "sources/posix_escape.h"
#include "sources/posix_regex.h"
#include "table/template.h"

enum {
	PATTERN_MAX_BYTES = 64 * 1024,
	DEPTH_MAX = 1000,
	NO_EXTENDED = 1 << 16, /* POSIX x: basic expressions; not of enum table_pattern_flag */
};

struct source {
	struct line_source base;
	bool is_posix;
	unsigned depth;           /* of open ifs */
	uint32_t if_line;         /* of the last one */
	struct buffer expression; /* of one row, as are the next two */
	struct buffer exception;
	struct buffer value;
	struct posix_groups groups; /* of a POSIX expression */
};

/* One pattern with its flags, as it stands in the line. */
struct part {
	struct bytes text;
	unsigned flags;
	bool is_negated;
};

struct flag {
	char letter;
	unsigned flag;
};

/* Each letter turns its flag on, or off where it is on by default. */
static const struct flag posix_flags[] = {
	{ 'i', TABLE_PATTERN_CASELESS },
	{ 'm', TABLE_PATTERN_MULTILINE },
	{ 'x', NO_EXTENDED },
	{ '\0', 0 },
};
static const struct flag pcre_flags[] = {
	{ 'i', TABLE_PATTERN_CASELESS },
	{ 'm', TABLE_PATTERN_MULTILINE },
	{ 's', TABLE_PATTERN_DOTALL },
	{ 'x', TABLE_PATTERN_EXTENDED },
	{ 'A', TABLE_PATTERN_ANCHORED },
	{ 'E', TABLE_PATTERN_DOLLAR_ENDONLY },
	{ 'U', TABLE_PATTERN_UNGREEDY },
	{ 'X', 0 }, /* does nothing in PCRE2 */
	{ '\0', 0 },
};

enum { DEFAULT_FLAGS = TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL };

static void pattern_close(struct source *source)
{
	if (source == NULL)
		return;
	buffer_free(&source->expression);
	buffer_free(&source->exception);
	buffer_free(&source->value);
	line_source_close(source);
}

static struct source *pattern_open(const struct settings_source *from, bool is_posix,
				   struct report *report)
{
	struct source *source = line_source_open(sizeof(*source), from, LINES_LOGICAL, report);

	if (source == NULL)
		return NULL;
	source->is_posix = is_posix;
	buffer_init(&source->expression, PATTERN_MAX_BYTES);
	buffer_init(&source->exception, PATTERN_MAX_BYTES);
	buffer_init(&source->value, PATTERN_MAX_BYTES);
	return source;
}

static struct source *regexp_open(const struct settings_source *from,
				  const struct settings *settings, struct report *report)
{
	(void)settings; /* there is one way to read it */
	return pattern_open(from, true, report);
}

static struct source *pcre_open(const struct settings_source *from, const struct settings *settings,
				struct report *report)
{
	(void)settings; /* there is one way to read it */
	return pattern_open(from, false, report);
}

/* ---- one pattern --------------------------------------------------------------------------- */

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool wrong(struct error *err, const char *what)
{
	return error_set(err, EX_DATAERR, "%s", what);
}

static bool too_long(const struct buffer *buffer, const char *what, struct error *err)
{
	if (buffer->was_short_of_memory)
		return error_set_memory(err);
	return error_set(err, EX_DATAERR, "the %s has more than %d bytes", what, PATTERN_MAX_BYTES);
}

static bool take_flags(const struct source *source, struct bytes *rest, struct part *part,
		       struct error *err)
{
	const struct flag *flags = source->is_posix ? posix_flags : pcre_flags;

	part->flags = DEFAULT_FLAGS;
	while (rest->size > 0 && !byte_is_white(rest->data[0]) && rest->data[0] != '!') {
		const struct flag *flag = flags;

		while (flag->letter != '\0' && flag->letter != rest->data[0])
			flag++;
		if (flag->letter == '\0')
			return error_set(err, EX_DATAERR, "unknown flag \"%c\"", rest->data[0]);
		part->flags ^= flag->flag;
		*rest = bytes_skip(*rest, 1);
	}
	return true;
}

/* Take `!/pattern/flags` off *rest. */
static bool take_part(const struct source *source, struct bytes *rest, struct part *part,
		      struct error *err)
{
	struct bytes text = *rest;
	size_t size = 1;

	*part = (struct part){ .is_negated = false };
	while (text.size > 0 && (text.data[0] == '!' || byte_is_white(text.data[0]))) {
		part->is_negated ^= text.data[0] == '!';
		text = bytes_skip(text, 1);
	}
	if (text.size == 0 || is_alphanumeric(text.data[0]))
		return wrong(err, "a pattern is expected");
	if (text.data[0] == '\\' || (unsigned char)text.data[0] >= 0x80)
		return wrong(err, "such a character can't enclose a pattern");
	while (size < text.size && text.data[size] != text.data[0])
		size += text.data[size] == '\\' && size + 1 < text.size ? 2 : 1;
	if (size >= text.size)
		return wrong(err, "the pattern does not end");
	part->text = bytes_make(text.data + 1, size - 1);
	*rest = bytes_skip(text, size + 1);
	return take_flags(source, rest, part, err);
}

static bool refuse_escape(char letter, struct error *err)
{
	if (letter == 'd')
		return wrong(err, "no \\d in regexp; use [0-9] or a pcre source");
	return error_set(err, EX_DATAERR,
			 "no \\%c in regexp; leave out the backslash, or use a pcre source",
			 letter);
}

/* Put PART as a PCRE2 pattern into OUT; *OUT_GROUPS of a POSIX one. */
static bool translate(const struct source *source, const struct part *part, struct buffer *out,
		      struct posix_groups *out_groups, struct error *err)
{
	if (source->is_posix) {
		char unknown = posix_escape_unknown(part->text);

		if (unknown != '\0')
			return refuse_escape(unknown, err);
		if (!posix_regex_translate_groups(part->text, (part->flags & NO_EXTENDED) == 0, out,
						  out_groups, err))
			return false;
	} else {
		(void)buffer_append(out, part->text); /* shows below */
	}
	return !out->has_failed || too_long(out, "pattern", err);
}

/* The second pattern is matched with the flags of the first: say what is different in it. */
static void put_flags(const struct part *first, const struct part *second, struct buffer *out)
{
	unsigned different = first->flags ^ second->flags;

	if ((different & TABLE_PATTERN_CASELESS) != 0)
		(void)buffer_append_text(out, (second->flags & TABLE_PATTERN_CASELESS) != 0
						      ? "(?i)"
						      : "(?-i)"); /* shows in translate() */
	if ((different & TABLE_PATTERN_MULTILINE) != 0)
		(void)buffer_append_text(out, (second->flags & TABLE_PATTERN_MULTILINE) != 0
						      ? "(?m)"
						      : "(?-m)"); /* likewise */
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* Fill the row's pattern from FIRST and, unless it is NULL, SECOND; prove that they compile. */
static bool set_pattern(struct source *source, enum table_pattern_kind kind,
			const struct part *first, const struct part *second,
			struct source_row *out_row, struct error *err)
{
	struct table_pattern pattern = { .kind = kind };
	uint32_t groups;

	buffer_clear(&source->expression);
	buffer_clear(&source->exception);
	if (!translate(source, first, &source->expression, &source->groups, err))
		return false;
	if (second != NULL) {
		struct posix_groups ignored;

		put_flags(first, second, &source->exception);
		if (!translate(source, second, &source->exception, &ignored, err))
			return false;
	}
	pattern.expression = buffer_bytes(&source->expression);
	pattern.exception = buffer_bytes(&source->exception);
	pattern.flags = first->flags & ~(unsigned)NO_EXTENDED;
	if (first->is_negated)
		pattern.flags |= TABLE_PATTERN_NEGATED;
	if (pattern.expression.size == 0 || (second != NULL && pattern.exception.size == 0))
		return wrong(err, "the pattern is empty");
	if (!table_pattern_check(&pattern, &groups, err))
		return false;
	out_row->kind = SOURCE_ROW_PATTERN;
	out_row->pattern = (struct source_pattern){
		.kind = kind,
		.flags = pattern.flags,
		.expression = pattern.expression,
		.exception = pattern.exception,
		.group_count = groups,
	};
	return true;
}

/* How many groups can the value of ROW name? None, if it doesn't match. */
static uint32_t count_groups(const struct source *source, const struct source_row *row)
{
	if (!source->is_posix || row->pattern.group_count == 0)
		return row->pattern.group_count;
	return source->groups.count;
}

/* Put VALUE, whose groups are those of the file, with those of the PCRE2 pattern into OUT. */
static bool put_value(const struct source *source, struct bytes value, struct buffer *out,
		      struct error *err)
{
	struct template_piece piece;
	enum template_step step;

	if (!source->is_posix) {
		template_normalise(value, out);
		return !out->has_failed || too_long(out, "value", err);
	}
	while ((step = template_next(&value, &piece)) == TEMPLATE_TEXT || step == TEMPLATE_GROUP) {
		unsigned number = step == TEMPLATE_GROUP ? source->groups.numbers[piece.group] : 0;

		if (number > TEMPLATE_GROUP_MAX)
			return wrong(err, "the pattern has too many groups");
		/* What fails shows at the end. */
		if (step == TEMPLATE_GROUP)
			(void)buffer_append_format(out, "${%u}", number);
		else if (bytes_equal(piece.text, bytes_of("$")))
			(void)buffer_append_text(out, "$$"); /* likewise */
		else
			(void)buffer_append(out, piece.text); /* likewise */
	}
	return !out->has_failed || too_long(out, "value", err);
}

static bool read_rule(struct source *source, struct bytes line, struct source_row *out_row,
		      struct error *err)
{
	struct part first, second;
	bool has_second = false;

	if (!take_part(source, &line, &first, err))
		return false;
	if (line.size > 0 && line.data[0] == '!') {
		has_second = true;
		if (!source->is_posix)
			return wrong(err, "unknown flag \"!\"");
		if (!take_part(source, &line, &second, err))
			return false;
		if (!second.is_negated)
			return wrong(err, "the second pattern must be one that does not match");
	}
	line = bytes_trim(line);
	if (line.size == 0)
		return wrong(err, "expected: /pattern/ value");
	if (!set_pattern(source, TABLE_PATTERN_RULE, &first, has_second ? &second : NULL, out_row,
			 err))
		return false;
	out_row->value = line;
	/* The words of a reply are no template. */
	if (bytes_begin_with(line, bytes_of("error:")) ||
	    bytes_begin_with(line, bytes_of("discard:")))
		return true;
	if (!template_check(line, count_groups(source, out_row), err))
		return false;
	buffer_clear(&source->value);
	if (!put_value(source, line, &source->value, err))
		return false;
	out_row->value = buffer_bytes(&source->value);
	return true;
}

#define INDENTED " (a line that is indented continues the one before it)"

static bool read_if(struct source *source, struct bytes line, struct source_row *out_row,
		    struct error *err)
{
	struct part part;

	if (source->depth == DEPTH_MAX)
		return error_set(err, EX_DATAERR, "more than %d ifs in each other", DEPTH_MAX);
	/* Counted even if it is wrong: its endif will come. */
	source->depth++;
	source->if_line = out_row->line;
	if (!take_part(source, &line, &part, err))
		return false;
	if (bytes_trim(line).size > 0)
		return wrong(err, "text behind the pattern of an if" INDENTED);
	return set_pattern(source, TABLE_PATTERN_IF, &part, NULL, out_row, err);
}

static void set_endif(struct source_row *out_row)
{
	out_row->kind = SOURCE_ROW_PATTERN;
	out_row->pattern = (struct source_pattern){ .kind = TABLE_PATTERN_ENDIF };
}

static bool read_endif(struct source *source, struct bytes line, struct source_row *out_row,
		       struct error *err)
{
	if (source->depth == 0)
		return wrong(err, "an endif without its if");
	source->depth--;
	if (bytes_trim(line).size > 0)
		return wrong(err, "text behind an endif" INDENTED);
	set_endif(out_row);
	return true;
}

/* Is WORD what LINE begins with, any case, and no longer word? */
static bool begins(struct bytes line, const char *word)
{
	struct bytes wanted = bytes_of(word);

	return bytes_equal_ascii_nocase(bytes_first(line, wanted.size), wanted) &&
	       (line.size == wanted.size || !is_alphanumeric(line.data[wanted.size]));
}

static bool read_words(struct source *source, struct bytes line, struct source_row *out_row,
		       struct error *err)
{
	if (begins(line, "if"))
		return read_if(source, bytes_skip(line, 2), out_row, err);
	if (begins(line, "endif"))
		return read_endif(source, bytes_skip(line, 5), out_row, err);
	if (is_alphanumeric(line.data[0]))
		return wrong(err, "expected: /pattern/ value, if /pattern/, or endif");
	return read_rule(source, line, out_row, err);
}

static enum line_outcome read_row(struct source *source, struct bytes line, uint32_t number,
				  struct source_row *out_row)
{
	struct error err;

	*out_row = (struct source_row){ .kind = SOURCE_ROW_PATTERN, .line = number };
	if (read_words(source, line, out_row, &err))
		return LINE_IS_ROW;
	report_error(source->base.report, err.status, source->base.path, number, "%s%s", err.text,
		     advice_is_entry(line) ? "; should the type be \"virtual\"?" : "");
	return LINE_IS_NONE;
}

/* At the end Postfix takes a missing endif for granted; so do we, one row each. */
static enum source_step end(struct source *source, struct source_row *out_row)
{
	if (source->depth == 0)
		return SOURCE_END;
	report_warning(source->base.report, WARNING_UNCLOSED_IF, source->base.path, source->if_line,
		       "an if without its endif");
	source->depth--;
	*out_row = (struct source_row){ .line = source->if_line };
	set_endif(out_row);
	return SOURCE_ROW;
}

static enum source_step pattern_next(struct source *source, struct source_row *out_row)
{
	enum source_step step = line_source_next(source, read_row, out_row);

	return step == SOURCE_END ? end(source, out_row) : step;
}

const struct source_type source_type_regexp = {
	.name = "regexp",
	.open = regexp_open,
	.next = pattern_next,
	.close = pattern_close,
};

const struct source_type source_type_pcre = {
	.name = "pcre",
	.open = pcre_open,
	.next = pattern_next,
	.close = pattern_close,
};
