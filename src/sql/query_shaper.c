/* SPDX-License-Identifier: BSD-2-Clause */
#include "sql/query_shaper.h"

int shaper_depth_change(const struct sql_token *token)
{
	return sql_is_symbol(token, "(") - sql_is_symbol(token, ")");
}

bool shaper_has_directive(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '%')
			continue;
		if (i + 1 < text.size && text.data[i + 1] == '%')
			i++;
		else
			return true;
	}
	return false;
}

bool shaper_tokens_have_directive(const struct shaper *shaper, struct span span)
{
	for (size_t i = span.begin; i < span.end; i++)
		if (shaper_has_directive(shaper->tokens[i].text))
			return true;
	return false;
}

size_t shaper_find_word(const struct shaper *shaper, struct span span, const char *word)
{
	int depth = 0;

	for (size_t i = span.begin; i < span.end; i++) {
		depth += shaper_depth_change(&shaper->tokens[i]);
		if (depth == 0 && sql_is_word(&shaper->tokens[i], word))
			return i;
	}
	return span.end;
}

bool shaper_is_wrapped(const struct shaper *shaper, struct span span)
{
	int depth = 0;

	if (span.end - span.begin < 2 || !sql_is_symbol(&shaper->tokens[span.begin], "("))
		return false;
	for (size_t i = span.begin; i < span.end; i++) {
		depth += shaper_depth_change(&shaper->tokens[i]);
		if (depth == 0)
			return i + 1 == span.end;
	}
	return false;
}

struct span shaper_unwrap(const struct shaper *shaper, struct span span)
{
	while (shaper_is_wrapped(shaper, span))
		span = (struct span){ span.begin + 1, span.end - 1 };
	return span;
}

struct span shaper_next_part(const struct shaper *shaper, struct span *rest, const char *separator)
{
	struct span part = *rest;
	int depth = 0;

	for (size_t i = rest->begin; i < rest->end; i++) {
		depth += shaper_depth_change(&shaper->tokens[i]);
		if (depth != 0 || !sql_is_symbol(&shaper->tokens[i], separator))
			continue;
		part.end = i;
		rest->begin = i + 1;
		return part;
	}
	rest->begin = rest->end;
	return part;
}
