/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print_pattern - a rule of a regexp: or pcre: source, as a line of a pcre: source.
 */
#include "show/print.h"

/* Letters that turn a flag on, or off where pcre: has it on without them. */
static const struct flag_letter {
	unsigned flag;
	bool is_on_without;
	char letter;
} flag_letters[] = {
	{ TABLE_PATTERN_CASELESS, true, 'i' },  { TABLE_PATTERN_MULTILINE, false, 'm' },
	{ TABLE_PATTERN_DOTALL, true, 's' },    { TABLE_PATTERN_EXTENDED, false, 'x' },
	{ TABLE_PATTERN_ANCHORED, false, 'A' }, { TABLE_PATTERN_DOLLAR_ENDONLY, false, 'E' },
	{ TABLE_PATTERN_UNGREEDY, false, 'U' },
};

/* What encloses the expression: something that isn't in it. */
static char choose_delimiter(struct bytes expression)
{
	/* All that a source may have there, the usual ones first. */
	static const char delimiters[] = "/|#~,;=%&:\"'<>_`@-+*?^$.()[]{}";

	for (const char *delimiter = delimiters; *delimiter != '\0'; delimiter++)
		if (!bytes_contain(expression, *delimiter))
			return *delimiter;
	return delimiters[0];
}

/* Failures are the buffer's. */
static void print_expression(struct bytes expression, struct buffer *out_text)
{
	char delimiter = choose_delimiter(expression);

	(void)buffer_append_byte(out_text, delimiter);
	print_field(expression, out_text);
	(void)buffer_append_byte(out_text, delimiter);
}

void print_pattern_key(const struct table_pattern *pattern, struct buffer *out_text)
{
	if (pattern->kind == TABLE_PATTERN_ENDIF) {
		(void)buffer_append_text(out_text, "endif");
		return;
	}
	if (pattern->kind == TABLE_PATTERN_IF)
		(void)buffer_append_text(out_text, "if ");
	if ((pattern->flags & TABLE_PATTERN_NEGATED) != 0)
		(void)buffer_append_byte(out_text, '!');
	print_expression(pattern->expression, out_text);
	for (size_t i = 0; i < sizeof(flag_letters) / sizeof(flag_letters[0]); i++)
		if (((pattern->flags & flag_letters[i].flag) != 0) != flag_letters[i].is_on_without)
			(void)buffer_append_byte(out_text, flag_letters[i].letter);
	if (pattern->exception.size > 0) {
		(void)buffer_append_byte(out_text, '!');
		print_expression(pattern->exception, out_text);
	}
}

/* A reply of a pattern has `$$` for each dollar. */
static enum lookup print_pattern_reply(struct bytes reply, struct buffer *out_text)
{
	struct buffer text;
	enum lookup outcome;

	buffer_init(&text, out_text->limit);
	outcome = print_reply(reply, &text);
	for (size_t i = 0; i < text.size; i++) {
		(void)buffer_append_byte(out_text, text.data[i]); /* failures are the buffer's */
		if (text.data[i] == '$')
			(void)buffer_append_byte(out_text, '$'); /* likewise */
	}
	buffer_take_failure(out_text, &text);
	buffer_free(&text);
	return outcome;
}

enum lookup print_pattern_value(const struct table_pattern *pattern, struct buffer *out_text)
{
	if (pattern->kind != TABLE_PATTERN_RULE)
		return LOOKUP_FOUND;
	switch (pattern->result) {
	case TABLE_ENTRY_TARGETS:
		print_field(pattern->value, out_text);
		return LOOKUP_FOUND;
	case TABLE_ENTRY_REPLY:
		return print_pattern_reply(pattern->value, out_text);
	case TABLE_ENTRY_DISCARD:
		(void)buffer_append_text(out_text, "discard:");
		return LOOKUP_FOUND;
	}
	return LOOKUP_BROKEN;
}
