/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/query_shaper.h"

/* Of one text: what it is of the key. */
static enum pattern pattern_of_text(struct bytes inside)
{
	static const struct {
		const char *text;
		enum pattern pattern;
	} known[] = {
		{ "%s", PATTERN_KEY },        { "%S", PATTERN_KEY },
		{ "%u@%d", PATTERN_ADDRESS }, { "%U@%D", PATTERN_ADDRESS },
		{ "%u", PATTERN_USER },       { "%U", PATTERN_USER },
		{ "%d", PATTERN_DOMAIN },     { "%D", PATTERN_DOMAIN },
		{ "@%d", PATTERN_AT },        { "@%D", PATTERN_AT },
		{ "%u@", PATTERN_USER_AT },   { "%U@", PATTERN_USER_AT },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (bytes_equal(inside, bytes_of(known[i].text)))
			return known[i].pattern;
	return PATTERN_NONE;
}

/* `lower(x)` → `x`, `x::text` → `x`: keys come in lower case. */
static struct span strip(const struct shaper *shaper, struct span span)
{
	static const char *const lower[] = { "lower", "lcase", NULL };

	span = shaper_unwrap(shaper, span);
	if (span.end - span.begin == 3 && sql_is_symbol(&shaper->tokens[span.begin + 1], "::"))
		span.end = span.begin + 1;
	if (span.end - span.begin >= 3 && sql_is_one_of(&shaper->tokens[span.begin], lower)) {
		struct span inner = { span.begin + 1, span.end };

		if (shaper_is_wrapped(shaper, inner))
			return strip(shaper, (struct span){ inner.begin + 1, inner.end - 1 });
	}
	return span;
}

static bool is_text(const struct shaper *shaper, struct span span, const char *text)
{
	return span.end - span.begin == 1 && shaper->tokens[span.begin].kind == SQL_TEXT &&
	       bytes_equal(shaper->tokens[span.begin].inside, bytes_of(text));
}

/* `CONCAT('%u','@',z)`, `'%u' || '@' || z`, either with '%u@' in one. */
static enum pattern pattern_of_chain(const struct shaper *shaper, struct span span,
				     struct span *out_tail)
{
	const char *separator = "||";
	struct span part;

	if (span.end - span.begin > 2 && sql_is_word(&shaper->tokens[span.begin], "concat") &&
	    shaper_is_wrapped(shaper, (struct span){ span.begin + 1, span.end })) {
		span = (struct span){ span.begin + 2, span.end - 1 };
		separator = ",";
	}
	part = shaper_next_part(shaper, &span, separator);
	if (is_text(shaper, part, "%u") || is_text(shaper, part, "%U")) {
		part = shaper_next_part(shaper, &span, separator);
		if (!is_text(shaper, part, "@"))
			return PATTERN_NONE;
	} else if (!is_text(shaper, part, "%u@") && !is_text(shaper, part, "%U@")) {
		return PATTERN_NONE;
	}
	*out_tail = shaper_next_part(shaper, &span, separator);
	if (span.begin != span.end || out_tail->begin == out_tail->end)
		return PATTERN_NONE;
	if (is_text(shaper, *out_tail, "%d") || is_text(shaper, *out_tail, "%D"))
		return PATTERN_ADDRESS;
	return shaper_tokens_have_directive(shaper, *out_tail) ? PATTERN_NONE : PATTERN_USER_AT;
}

static enum pattern pattern_of(const struct shaper *shaper, struct span span, struct span *out_tail)
{
	enum pattern pattern;

	span = strip(shaper, span);
	if (span.end - span.begin != 1)
		return pattern_of_chain(shaper, span, out_tail);
	if (shaper->tokens[span.begin].kind != SQL_TEXT)
		return PATTERN_NONE;
	pattern = pattern_of_text(shaper->tokens[span.begin].inside);
	return pattern == PATTERN_USER_AT ? PATTERN_NONE : pattern;
}

/* Words and operators that bind less than `=`, or compare too. */
static bool is_loose(const struct sql_token *token)
{
	static const char *const words[] = { "or",      "not",    "between", "case",  "like",
					     "in",      "is",     "xor",     "any",   "all",
					     "glob",    "regexp", "some",    "ilike", "similar",
					     "collate", "rlike",  "sounds",  NULL };
	static const char *const symbols[] = { "<>", "!=", "<=", ">=", "<", ">", "~", "!", "&" };

	if (sql_is_one_of(token, words))
		return true;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (sql_is_symbol(token, symbols[i]))
			return true;
	return false;
}

/* The `=` of a condition that is one comparison and nothing else; its end: there is none. */
static size_t find_equals(const struct shaper *shaper, struct span span)
{
	size_t found = span.end;
	int depth = 0;

	for (size_t i = span.begin; i < span.end; i++) {
		depth += shaper_depth_change(&shaper->tokens[i]);
		if (depth != 0)
			continue;
		if (is_loose(&shaper->tokens[i]))
			return span.end;
		if (!sql_is_symbol(&shaper->tokens[i], "="))
			continue;
		if (found != span.end)
			return span.end;
		found = i;
	}
	return found;
}

static bool take_condition(struct shaper *shaper, struct span span)
{
	struct condition *condition = &shaper->conditions[shaper->condition_count];
	struct span left, right;
	size_t equals;

	if (shaper->condition_count == CONDITIONS_MAX)
		return shaper_refuse(shaper, "has very many conditions");
	*condition = (struct condition){ .other = span };
	shaper->condition_count++;
	if (!shaper_tokens_have_directive(shaper, span))
		return true;
	equals = find_equals(shaper, span);
	if (equals == span.end)
		return shaper_refuse(shaper,
				     "has a % in a condition that is no plain comparison by =");
	left = (struct span){ span.begin, equals };
	right = (struct span){ equals + 1, span.end };
	condition->pattern = pattern_of(shaper, right, &condition->tail);
	condition->other = left;
	if (condition->pattern == PATTERN_NONE) {
		condition->pattern = pattern_of(shaper, left, &condition->tail);
		condition->other = right;
	}
	if (condition->pattern == PATTERN_NONE || condition->other.begin == condition->other.end ||
	    shaper_tokens_have_directive(shaper, condition->other))
		return shaper_refuse(shaper, "compares with something other than '%s', '%u', '%d', "
					     "'%u@%d', '@%d'");
	return true;
}

/* Where the condition that begins at SPAN ends: an AND, but not that of a BETWEEN. */
static size_t condition_end(const struct shaper *shaper, struct span span)
{
	bool is_between = false;
	int depth = 0;

	for (size_t i = span.begin; i < span.end; i++) {
		const struct sql_token *token = &shaper->tokens[i];

		depth += shaper_depth_change(token);
		if (depth != 0)
			continue;
		if (sql_is_word(token, "between"))
			is_between = true;
		else if (sql_is_word(token, "and") && is_between)
			is_between = false;
		else if (sql_is_word(token, "and"))
			return i;
	}
	return span.end;
}

static bool take(struct shaper *shaper, struct span span, int nested)
{
	span = shaper_unwrap(shaper, span);
	if (span.begin == span.end || nested > 20)
		return shaper_refuse(shaper, "has a condition that is empty");
	if (shaper_find_word(shaper, span, "or") < span.end &&
	    shaper_tokens_have_directive(shaper, span))
		return shaper_refuse(shaper, "has an OR beside a %");
	/* A CASE has words of its own between AND. */
	if (shaper_find_word(shaper, span, "or") < span.end ||
	    shaper_find_word(shaper, span, "case") < span.end)
		return shaper_tokens_have_directive(shaper, span)
			       ? shaper_refuse(shaper, "has a CASE beside a %")
			       : take_condition(shaper, span);
	for (;;) {
		struct span one = { span.begin, condition_end(shaper, span) };

		if (shaper_is_wrapped(shaper, one) ? !take(shaper, one, nested + 1)
						   : !take_condition(shaper, one))
			return false;
		if (one.end == span.end)
			return true;
		span.begin = one.end + 1;
		if (span.begin == span.end)
			return shaper_refuse(shaper, "has a condition that is empty");
	}
}

bool shaper_take_conditions(struct shaper *shaper, struct span where)
{
	return take(shaper, where, 0);
}
