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
