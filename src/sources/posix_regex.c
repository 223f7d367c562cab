/* SPDX-License-Identifier: BSD-2-Clause */
#include "sources/posix_regex.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "sources/advice.h"
#include "sources/posix_escape.h"

enum {
	REPEAT_MAX = 32767, /* RE_DUP_MAX of the C library */
	DEPTH_MAX = 100,
	REFERENCE_MAX = 9,
};

/* A group that is open, or the whole. */
struct level {
	unsigned number;    /* of the group */
	size_t begin;       /* in the output */
	bool may_be_empty;  /* one of its alternatives, but for the last */
	bool may_end_empty; /* the last, so far */
	bool has_place;     /* something in it is about a place: an anchor, `\b`, … */
};

/* The last item, if it is a group. */
struct group_item {
	bool is_one;
	bool is_nullable; /* may match nothing, wherever it stands */
	unsigned first;   /* its number */
	size_t begin;     /* in the output */
};

struct translation {
	struct bytes rest;
	bool is_extended;
	struct buffer *out;
	struct error *err;
	unsigned depth;                     /* of open groups */
	unsigned groups;                    /* so far */
	struct level levels[DEPTH_MAX + 1]; /* the first is the whole */
	struct group_item last;
	struct posix_groups *numbers;
	unsigned guards; /* groups of our own */
	bool has_reference;
	bool is_closed[REFERENCE_MAX + 1];
	bool has_alternative;
	bool item_was_empty;  /* what stands before the last item in its alternative may be empty */
	bool is_begin;        /* of the expression, a group or an alternative */
	bool is_behind_caret; /* the last item is a `^` that is an anchor */
	bool is_repeatable;   /* the last item may get a quantifier */
};

static bool wrong(struct translation *translation, const char *what)
{
	return error_set(translation->err, EX_DATAERR, "%s", what);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char peek(const struct translation *translation, size_t ahead)
{
	return ahead < translation->rest.size ? translation->rest.data[ahead] : '\0';
}

static void skip(struct translation *translation, size_t size)
{
	translation->rest = bytes_skip(translation->rest, size);
}

static void put_text(struct translation *translation, const char *text)
{
	(void)buffer_append_text(translation->out, text); /* has_failed is looked at once */
}

/* C itself, whatever it means to PCRE2. */
static void put_literal(struct translation *translation, char c)
{
	if (strchr("\\^$.[]|(){}?*+", c) != NULL)
		put_text(translation, "\\");
	(void)buffer_append_byte(translation->out, c); /* likewise */
}

static struct level *level_of(struct translation *translation)
{
	return &translation->levels[translation->depth];
}

/* One more item that a quantifier may follow. */
static void is_item(struct translation *translation)
{
	translation->last.is_one = false;
	translation->item_was_empty = level_of(translation)->may_end_empty;
	level_of(translation)->may_end_empty = false;
	translation->is_begin = false;
	translation->is_behind_caret = false;
	translation->is_repeatable = true;
}

/* ---- [...] -------------------------------------------------------------------------------- */

/* `[:alpha:]`, `[.x.]`, `[=x=]` with the rest at its first bracket. */
static bool bracket_class(struct translation *translation)
{
	char kind = peek(translation, 1);
	size_t size = 2;

	while (peek(translation, size) != kind || peek(translation, size + 1) != ']') {
		size++;
		if (size >= translation->rest.size)
			return wrong(translation, "a class in brackets does not end");
	}
	if (kind == ':')
		(void)buffer_append(translation->out,
				    bytes_first(translation->rest, size + 2)); /* likewise */
	else if (size == 3 && peek(translation, 2) == '-')
		put_text(translation, "\\-");
	else if (size == 3)
		put_literal(translation, peek(translation, 2));
	else
		return wrong(translation, "no such character in brackets");
	skip(translation, size + 2);
	return true;
}

static bool bracket(struct translation *translation)
{
	skip(translation, 1);
	put_text(translation, "[");
	if (peek(translation, 0) == '^') {
		skip(translation, 1);
		put_text(translation, "^");
	}
	/* The first one is no end. */
	for (bool is_first = true; is_first || peek(translation, 0) != ']'; is_first = false) {
		char c = peek(translation, 0);
		char next = peek(translation, 1);

		if (translation->rest.size == 0)
			return wrong(translation, "a bracket does not end");
		if (c == '[' && (next == ':' || next == '.' || next == '=')) {
			if (!bracket_class(translation))
				return false;
			continue;
		}
		/* Between two of them it is a range, and else itself, to both. */
		if (c == '-')
			put_text(translation, "-");
		else
			put_literal(translation, c);
		skip(translation, 1);
	}
	skip(translation, 1);
	put_text(translation, "]");
	is_item(translation);
	return true;
}

/* ---- quantifiers --------------------------------------------------------------------------- */

/* The number at the rest, or -1 if there is none. */
static int take_number(struct translation *translation)
{
	int number = -1;

	while (is_digit(peek(translation, 0))) {
		number = (number < 0 ? 0 : number) * 10 + (peek(translation, 0) - '0');
		if (number > REPEAT_MAX)
			number = REPEAT_MAX + 1;
		skip(translation, 1);
	}
	return number;
}

/* How often the item before it is there. */
struct repetition {
	int least;
	int most; /* -1: no end */
};

/* `{N,M}`, behind its opening brace. */
static bool interval(struct translation *translation, struct repetition *out_count)
{
	int least = take_number(translation);
	int most = least;
	bool is_open = false;

	if (peek(translation, 0) == ',') {
		skip(translation, 1);
		most = take_number(translation);
		is_open = most < 0;
		least = least < 0 ? 0 : least;
	}
	if (!translation->is_extended && peek(translation, 0) == '\\')
		skip(translation, 1);
	if (peek(translation, 0) != '}' || least < 0 || least > REPEAT_MAX || most > REPEAT_MAX ||
	    (!is_open && most < least))
		return wrong(translation, "a count in braces is wrong");
	skip(translation, 1);
	*out_count = (struct repetition){ .least = least, .most = is_open ? -1 : most };
	return true;
}

static void put_interval(struct translation *translation, const struct repetition *count)
{
	if (count->most < 0)
		(void)buffer_append_format(translation->out, "{%d,}",
					   count->least); /* as put_text() */
	else
		(void)buffer_append_format(translation->out, "{%d,%d}", count->least, count->most);
}

/*
 * A group that may match nothing is repeated. Once more around without a byte leaves the last one's
 * text to the C library, and nothing to PCRE2. So none of them may be empty: what was left of the
 * subject before it isn't what is left behind it. The group for that shifts the others. Without any
 * the group is empty either way.
 */
static void guard_group(struct translation *translation)
{
	unsigned guard = ++translation->guards;
	char text[40];
	int size = snprintf(text, sizeof(text), "(?:(?=(?<r%u>.*)\\z)", guard);

	(void)buffer_insert(translation->out, translation->last.begin,
			    bytes_make(text, (size_t)size)); /* as put_text() */
	for (unsigned i = translation->last.first; i <= translation->groups; i++)
		if (i <= POSIX_GROUPS_MAX)
			translation->numbers->numbers[i]++;
	(void)buffer_append_format(translation->out, "(?!\\k<r%u>\\z))", guard); /* as put_text() */
	put_text(translation, "*");
}

/* Of `{N,M}` the C library makes so many copies, and the last may be empty. */
static bool wants_guard(const struct translation *translation, const struct repetition *count)
{
	return translation->last.is_one && translation->last.is_nullable && count->most < 0 &&
	       !translation->has_reference;
}

/* `*`, `+`, `?` or `{` as C, behind it. */
static bool quantifier(struct translation *translation, char c)
{
	struct repetition count = { .least = c == '+', .most = c == '?' ? 1 : -1 };

	/* Behind another one it would say "lazy" or "possessive" to PCRE2, and behind `(` worse. */
	if (!translation->is_repeatable)
		return wrong(translation,
			     advice_on_quantifier(c,
						  translation->is_begin && translation->depth > 0,
						  buffer_bytes(translation->out)));
	translation->is_repeatable = false;
	if (c == '{' && !interval(translation, &count))
		return false;
	if (count.least == 0)
		level_of(translation)->may_end_empty = translation->item_was_empty;
	if (wants_guard(translation, &count))
		guard_group(translation);
	else if (c == '{')
		put_interval(translation, &count);
	else
		(void)buffer_append_byte(translation->out, c); /* as put_text() */
	return true;
}

/* ---- groups, alternatives, anchors --------------------------------------------------------- */

static bool open_group(struct translation *translation)
{
	unsigned number = ++translation->groups;

	if (translation->depth == DEPTH_MAX)
		return wrong(translation, "groups are nested too deeply");
	translation->levels[++translation->depth] = (struct level){
		.number = number,
		.begin = translation->out->size,
		.may_end_empty = true,
	};
	if (number <= POSIX_GROUPS_MAX) {
		translation->numbers->numbers[number] = number + translation->guards;
		translation->numbers->count = number;
	}
	put_text(translation, "(");
	translation->is_begin = true;
	translation->is_repeatable = false;
	return true;
}

/* Leave the level of the group that ends: it becomes an item of the one around it. */
static void leave_group(struct translation *translation)
{
	struct level inner = *level_of(translation);
	struct level *outer = &translation->levels[--translation->depth];
	bool may_be_empty = inner.may_be_empty || inner.may_end_empty;

	put_text(translation, ")");
	if (inner.number <= REFERENCE_MAX)
		translation->is_closed[inner.number] = true;
	outer->has_place |= inner.has_place;
	is_item(translation);
	if (may_be_empty)
		outer->may_end_empty = translation->item_was_empty;
	translation->last = (struct group_item){
		.is_one = true,
		.is_nullable = may_be_empty && !inner.has_place,
		.first = inner.number,
		.begin = inner.begin,
	};
}

static bool close_group(struct translation *translation)
{
	if (translation->depth > 0) {
		leave_group(translation);
		return true;
	}
	if (!translation->is_extended)
		return wrong(translation, "a group ends that never began");
	put_literal(translation, ')');
	is_item(translation);
	return true;
}

static void alternative(struct translation *translation)
{
	struct level *level = level_of(translation);

	level->may_be_empty |= level->may_end_empty;
	level->may_end_empty = true;
	put_text(translation, "|");
	translation->has_alternative = true;
	translation->is_begin = true;
	translation->is_repeatable = false;
}

/* The last item is about a place, and takes no byte. */
static void is_place(struct translation *translation)
{
	struct level *level = level_of(translation);

	level->may_end_empty = translation->item_was_empty;
	level->has_place = true;
	translation->is_repeatable = false;
}

/* In a basic expression an anchor is one only where it can be. */
static bool is_anchor(const struct translation *translation, char c)
{
	char next = peek(translation, 0);
	char after = peek(translation, 1);

	if (translation->is_extended)
		return true;
	if (c == '^')
		return translation->is_begin;
	return translation->rest.size == 0 || (next == '\\' && (after == ')' || after == '|'));
}

static void anchor(struct translation *translation, char c)
{
	bool is_one = is_anchor(translation, c);

	is_item(translation);
	if (!is_one) {
		put_literal(translation, c);
		return;
	}
	put_text(translation, c == '^' ? "^" : "$");
	is_place(translation);
	translation->is_behind_caret = c == '^';
}

/* ---- escapes ------------------------------------------------------------------------------- */

/* What basic expressions write with a backslash, and extended ones without; C is behind it. */
static bool operator_of(struct translation *translation, char c)
{
	switch (c) {
	case '(':
		return open_group(translation);
	case ')':
		return close_group(translation);
	case '|':
		alternative(translation);
		return true;
	default:
		return quantifier(translation, c);
	}
}

static bool is_operator(char c)
{
	return c != '\0' && strchr("(){|+?", c) != NULL;
}

/* `\1`. Behind an alternative the C library wants the group to be in the same one: not followed. */
static bool reference(struct translation *translation, char c)
{
	if (translation->has_alternative || !translation->is_closed[c - '0'])
		return wrong(translation, "a back reference to a group that may not be set");
	/* What it refers to may be empty, and may not move any more. */
	level_of(translation)->may_end_empty = translation->item_was_empty;
	level_of(translation)->has_place = true;
	translation->has_reference = true;
	/* In braces, so that a digit behind it stays one. */
	(void)buffer_append_format(translation->out, "\\g{%u}",
				   translation->numbers->numbers[c - '0']); /* as put_text() */
	return true;
}

static bool escape(struct translation *translation)
{
	char c = peek(translation, 1);
	const char *meaning = posix_escape_meaning(c);

	if (translation->rest.size < 2)
		return wrong(translation, "a backslash ends it");
	skip(translation, 2);
	if (!translation->is_extended && is_operator(c))
		return operator_of(translation, c);
	is_item(translation);
	if (meaning != NULL) {
		put_text(translation, meaning);
		if (strchr("wWsS", c) == NULL)
			is_place(translation);
	} else if (c >= '1' && c <= '9') {
		return reference(translation, c);
	} else {
		put_literal(translation, c);
	}
	return true;
}

static bool one_item(struct translation *translation)
{
	char c = peek(translation, 0);

	if (c == '\\')
		return escape(translation);
	if (c == '[')
		return bracket(translation);
	skip(translation, 1);
	if (c == '^' || c == '$') {
		anchor(translation, c);
		return true;
	}
	/* At the beginning of a basic one a star is a star. */
	if (c == '*' &&
	    (translation->is_extended || (!translation->is_begin && !translation->is_behind_caret)))
		return quantifier(translation, c);
	if (translation->is_extended && is_operator(c))
		return operator_of(translation, c);
	if (c == '.')
		put_text(translation, ".");
	else
		put_literal(translation, c);
	is_item(translation);
	return true;
}

bool posix_regex_translate_groups(struct bytes text, bool is_extended, struct buffer *out_text,
				  struct posix_groups *out_groups, struct error *err)
{
	struct translation translation = {
		.rest = text,
		.is_extended = is_extended,
		.out = out_text,
		.err = err,
		.is_begin = true,
		.numbers = out_groups,
		.levels[0].may_end_empty = true,
	};

	*out_groups = (struct posix_groups){ .count = 0 };
	while (translation.rest.size > 0)
		if (!one_item(&translation))
			return false;
	if (translation.depth > 0)
		return wrong(&translation, "a group does not end");
	return true;
}

bool posix_regex_translate(struct bytes text, bool is_extended, struct buffer *out_text,
			   struct error *err)
{
	struct posix_groups groups;

	return posix_regex_translate_groups(text, is_extended, out_text, &groups, err);
}
