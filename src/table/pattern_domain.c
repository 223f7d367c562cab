/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern_domain - the literal domain that an expression ends in: /^(.*)-x@example\.com$/ can match
 * addresses of example.com alone.
 *
 * Where there is a doubt there is none: then the rule is tried for every address, which is slower
 * and no less right.
 */
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
