/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern_domain - what an expression says in letters: the domain that it ends in, since
 * /^(.*)-x@example\.com$/ can match addresses of example.com alone; and runs of bytes that are in
 * all that it matches.
 *
 * Where there is a doubt there is none: then the rule is tried for every address, which is slower
 * and no less right.
 */
#include <string.h>

#include "table/patterns_inside.h"

enum { DOMAIN_BYTES_MAX = 255 };

/* The position of the last `@`, or text.size. */
static size_t last_at(struct bytes text)
{
	size_t begin = text.size;

	while (begin > 0 && text.data[begin - 1] != '@')
		begin--;
	return begin == 0 ? text.size : begin - 1;
}

/* The size of the class `[…]` at the begin of TEXT; 0: it doesn't end, or isn't a simple one. */
static size_t class_size(struct bytes text)
{
	size_t at = 1;

	/* A bracket here is one of its bytes. */
	at += at < text.size && text.data[at] == '^';
	at += at < text.size && text.data[at] == ']';
	for (; at < text.size && text.data[at] != ']'; at++)
		if (text.data[at] == '[' || text.data[at] == '\\')
			return 0;
	return at < text.size ? at + 1 : 0;
}

/* `(?…` and `(*…` may mean anything: options, conditions, verbs. */
static bool is_plain_group(struct bytes text)
{
	return text.size < 2 || (text.data[1] != '?' && text.data[1] != '*');
}

/*
 * The size of what stands at the begin of TEXT: an escape, a class, a byte. 0: nobody can say.
 * *depth counts the groups that are open.
 */
static size_t item_size(struct bytes text, size_t *depth)
{
	switch (text.data[0]) {
	case '\\':
		/* \Q…\E isn't worth the trouble. */
		return text.size < 2 || text.data[1] == 'Q' ? 0 : 2;
	case '[':
		return class_size(text);
	case '(':
		++*depth;
		return is_plain_group(text);
	case ')':
		return (*depth)-- > 0;
	case '|':
		/* Outside a group what stands behind it is another way to match. */
		return *depth > 0;
	default:
		return 1;
	}
}

/* TEXT stands before the `@`: does nothing in it reach over it, no group, class or alternative? */
static bool is_closed(struct bytes text)
{
	size_t depth = 0;

	while (text.size > 0) {
		size_t size = item_size(text, &depth);

		if (size == 0)
			return false;
		text = bytes_skip(text, size);
	}
	return depth == 0;
}

/* Only a rule is filed, and only one that must match what it says, letter by letter. */
static bool may_be_filed(const struct table_pattern *pattern)
{
	/* With `x` a blank or a `#` is no literal. */
	const unsigned unfit = TABLE_PATTERN_NEGATED | TABLE_PATTERN_EXTENDED;

	return pattern->kind == TABLE_PATTERN_RULE && (pattern->flags & unfit) == 0;
}

/* Cut `before@host$`. False: the expression isn't so. */
static bool cut_at_domain(struct bytes expression, struct bytes *out_before, struct bytes *out_host)
{
	size_t at = last_at(expression);
	struct bytes host = bytes_skip(expression, at + 1);

	if (host.size == 0 || host.data[host.size - 1] != '$')
		return false;
	*out_before = bytes_first(expression, at);
	*out_host = bytes_first(host, host.size - 1);
	return true;
}

/* The name that HOST matches, at OUT, which has room for it. Its size, or 0: not a literal. */
static size_t read_literal(struct bytes host, char *out)
{
	size_t size = 0;

	for (size_t i = 0; i < host.size; i++) {
		bool is_escaped_dot =
			host.data[i] == '\\' && i + 1 < host.size && host.data[i + 1] == '.';

		if (!is_escaped_dot && !pattern_is_label_byte(host.data[i]))
			return 0;
		i += is_escaped_dot;
		out[size++] = byte_to_lower(host.data[i]);
	}
	return size;
}

bool table_pattern_domain(const struct table_pattern *pattern, struct arena *arena,
			  struct bytes *out_domain)
{
	struct bytes before, host;
	size_t size = 0;
	char *name;

	*out_domain = bytes_make(NULL, 0);
	if (!may_be_filed(pattern) || !cut_at_domain(pattern->expression, &before, &host) ||
	    !is_closed(before))
		return true;
	name = arena_alloc(arena, host.size + 1);
	if (name == NULL)
		return false;
	size = read_literal(host, name);
	if (size <= DOMAIN_BYTES_MAX)
		*out_domain = bytes_make(name, size);
	return true;
}

/* ---- runs of bytes ---------------------------------------------------------------------- */

/* What stands at top level in an expression. */
enum item_kind {
	ITEM_UNKNOWN, /* nobody can say what it does to the others */
	ITEM_BYTE,
	ITEM_ANY,   /* one byte, whichever */
	ITEM_OTHER, /* any number of bytes, or a place */
};

struct item {
	enum item_kind kind;
	char byte;
	size_t size; /* in the expression */
};

static bool is_one_of(const char *set, struct bytes text, size_t at)
{
	return at < text.size && text.data[at] != '\0' && strchr(set, text.data[at]) != NULL;
}

static bool is_letter_or_digit(char c)
{
	return c != '-' && pattern_is_label_byte(c);
}

/* The escape at the begin of TEXT. */
static struct item read_escape(struct bytes text)
{
	struct item item = { .kind = ITEM_UNKNOWN, .size = 2 };

	if (text.size < 2)
		return item;
	if (is_one_of("dDwWsShHvVN", text, 1) && !(text.data[1] == 'N' && is_one_of("{", text, 2)))
		item.kind = ITEM_ANY;
	else if (is_one_of("bBAzZKRX", text, 1))
		item.kind = ITEM_OTHER;
	else if (text.data[1] == 'g' && is_one_of("{", text, 2)) {
		item.size = bytes_index(text, '}') + 1;
		item.kind = item.size <= text.size ? ITEM_OTHER : ITEM_UNKNOWN;
	} else if (!is_letter_or_digit(text.data[1])) {
		item.kind = ITEM_BYTE;
		item.byte = text.data[1];
	}
	return item;
}

/* The size of the class at the begin of TEXT, with classes in it; 0: nobody can say. */
static size_t whole_class_size(struct bytes text)
{
	size_t at = 1;

	at += is_one_of("^", text, at);
	at += is_one_of("]", text, at); /* here it is one of its bytes */
	while (at < text.size && text.data[at] != ']') {
		if (text.data[at] == '\\') {
			if (is_one_of("QEc", text, at + 1))
				return 0;
			at += 2;
		} else if (text.data[at] == '[' && is_one_of(":.=", text, at + 1)) {
			struct bytes inner = bytes_skip(text, at + 2);
			size_t end = bytes_index(inner, ']');

			/* Not one after all? Then a bracket is a byte, or ends it: a doubt, as are
			 * `[:<:]` and `[:>:]`, which are places. */
			if (end == 0 || end == inner.size || is_one_of("<>", inner, 0) ||
			    inner.data[end - 1] != text.data[at + 1])
				return 0;
			at += 2 + end + 1;
		} else {
			at++;
		}
	}
	return at < text.size ? at + 1 : 0;
}

/* Is the group at the begin of TEXT one that minds its own business? `(?` may begin others. */
static bool is_closed_group(struct bytes text)
{
	if (is_one_of("*", text, 1))
		return false;
	if (!is_one_of("?", text, 1))
		return true;
	return is_one_of(":=!><", text, 2) ||
	       (is_one_of("P", text, 2) && is_one_of("<=>", text, 3));
}

/* The size of the group at the begin of TEXT, up to its end; 0: nobody can say. */
static size_t group_size(struct bytes text)
{
	size_t depth = 0;
	size_t at = 0;

	while (at < text.size) {
		struct bytes rest = bytes_skip(text, at);
		size_t size = 1;

		if (rest.data[0] == '\\')
			size = is_one_of("QEc", rest, 1) || rest.size < 2 ? 0 : 2;
		else if (rest.data[0] == '[')
			size = whole_class_size(rest);
		else if (rest.data[0] == '(')
			size = is_closed_group(rest);
		if (size == 0)
			return 0;
		depth += rest.data[0] == '(';
		depth -= rest.data[0] == ')';
		at += size;
		if (depth == 0)
			return at;
	}
	return 0;
}

/* The size of `(?i)` and the like at the begin of TEXT, options that change no byte's meaning. */
static size_t options_size(struct bytes text)
{
	size_t at = 2;

	if (!is_one_of("?", text, 1))
		return 0;
	while (is_one_of("is-", text, at))
		at++;
	return at > 2 && is_one_of(")", text, at) ? at + 1 : 0;
}

static struct item read_item(struct bytes text)
{
	struct item item = { .kind = ITEM_OTHER, .size = 1 };

	switch (text.data[0]) {
	case '\\':
		return read_escape(text);
	case '[':
		item.kind = ITEM_ANY;
		item.size = whole_class_size(text);
		break;
	case '(':
		item.size = options_size(text);
		if (item.size == 0)
			item.size = group_size(text);
		break;
	case '.':
		item.kind = ITEM_ANY;
		break;
	case '^':
	case '$':
		break;
	case '|':
	case ')':
	case '*':
	case '+':
	case '?':
	case '{':
		item.kind = ITEM_UNKNOWN;
		break;
	default:
		item.kind = ITEM_BYTE;
		item.byte = text.data[0];
		break;
	}
	if (item.size == 0)
		item.kind = ITEM_UNKNOWN;
	return item;
}

/* The size of the quantifier at the begin of TEXT; 0: there is none. *OUT_IS_KNOWN: or not one. */
static size_t quantifier_size(struct bytes text, bool *out_is_known)
{
	size_t at = 1;

	*out_is_known = true;
	if (!is_one_of("*+?{", text, 0))
		return 0;
	if (text.data[0] == '{') {
		while (is_one_of("0123456789,", text, at))
			at++;
		*out_is_known = is_one_of("}", text, at) && is_one_of("0123456789", text, 1);
		at++;
	}
	return at + is_one_of("?+", text, at);
}

/* Bytes that are rare: an at sign is in every address. */
static size_t weight(const struct pattern_literal *literal)
{
	size_t count = 0;

	for (size_t i = 0; i < literal->size; i++)
		count += literal->bytes[i] != '\0' && literal->bytes[i] != '@';
	return count;
}

static void extend(struct pattern_literal *run, const struct item *item)
{
	/* What comes later says as much. */
	if (run->size == PATTERN_LITERAL_MAX)
		memmove(run->bytes, run->bytes + 1, --run->size);
	run->bytes[run->size++] = item->kind == ITEM_ANY ? '\0' : byte_to_lower(item->byte);
}

/* A run ends: is it the best so far? */
static void end_run(struct pattern_literal *run, struct pattern_literal *best)
{
	if (weight(run) > weight(best))
		*best = *run;
	run->size = 0;
}

void pattern_literals(struct bytes expression, unsigned flags, struct pattern_literal *out_end,
		      struct pattern_literal *out_anywhere)
{
	struct pattern_literal end = { .size = 0 }, best = { .size = 0 }, run = { .size = 0 };
	bool is_known = (flags & TABLE_PATTERN_EXTENDED) == 0;

	out_end->size = 0;
	out_anywhere->size = 0;
	while (is_known && expression.size > 0) {
		struct item item = read_item(expression);
		size_t quantifier;

		if (item.kind == ITEM_UNKNOWN)
			return;
		expression = bytes_skip(expression, item.size);
		quantifier = quantifier_size(expression, &is_known);
		if (item.kind == ITEM_OTHER && item.size == 1 && expression.size == 0)
			end = run; /* all of it but `$` */
		if (item.kind == ITEM_OTHER || quantifier > 0)
			end_run(&run, &best);
		else
			extend(&run, &item);
		expression = bytes_skip(expression, quantifier);
	}
	if (!is_known)
		return;
	end_run(&run, &best);
	/* With `m` the end of a line is one, too. */
	if ((flags & TABLE_PATTERN_MULTILINE) == 0)
		*out_end = end;
	*out_anywhere = best;
}

static bool is_at(const struct pattern_literal *literal, const char *bytes)
{
	for (size_t i = literal->size; i > 0; i--)
		if (literal->bytes[i - 1] != '\0' &&
		    literal->bytes[i - 1] != byte_to_lower(bytes[i - 1]))
			return false;
	return true;
}

bool pattern_literal_ends(const struct pattern_literal *literal, struct bytes subject)
{
	size_t size = subject.size;

	/* `$` may also match before a newline at the end. */
	if (size > 0 && subject.data[size - 1] == '\n')
		return true;
	return literal->size <= size && is_at(literal, subject.data + size - literal->size);
}

bool pattern_literal_is_in(const struct pattern_literal *literal, struct bytes subject)
{
	for (size_t at = 0; at + literal->size <= subject.size; at++)
		if (is_at(literal, subject.data + at))
			return true;
	return false;
}
