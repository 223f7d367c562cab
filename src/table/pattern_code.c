/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern_code - one rule: its bytes, its expression, its substitution.
 */
#include <sysexits.h>

#include "table/patterns_inside.h"
#include "table/template.h"

enum { MESSAGE_BYTES = 256, SUBSTITUTED_BYTES_MAX = 1 << 20 };

static const struct option {
	unsigned flag;
	uint32_t pcre2;
} options[] = {
	{ TABLE_PATTERN_CASELESS, PCRE2_CASELESS },
	{ TABLE_PATTERN_MULTILINE, PCRE2_MULTILINE },
	{ TABLE_PATTERN_DOTALL, PCRE2_DOTALL },
	{ TABLE_PATTERN_EXTENDED, PCRE2_EXTENDED },
	{ TABLE_PATTERN_ANCHORED, PCRE2_ANCHORED },
	{ TABLE_PATTERN_DOLLAR_ENDONLY, PCRE2_DOLLAR_ENDONLY },
	{ TABLE_PATTERN_UNGREEDY, PCRE2_UNGREEDY },
};

/* ---- bytes ------------------------------------------------------------------------------ */

static struct bytes take(struct bytes *rest, uint32_t size)
{
	struct bytes taken = bytes_first(*rest, size);

	*rest = bytes_skip(*rest, size);
	return taken;
}

bool pattern_take(struct bytes *rest, struct table_pattern *out_pattern)
{
	struct bytes head = bytes_first(*rest, PATTERN_HEAD);
	struct bytes body = bytes_skip(*rest, PATTERN_HEAD);
	uint32_t domain, expression, exception, value;

	if (head.size < PATTERN_HEAD)
		return false;
	domain = *at(head, PATTERN_DOMAIN_LENGTH);
	expression = le32_load(at(head, PATTERN_EXPRESSION_LENGTH));
	exception = le32_load(at(head, PATTERN_EXCEPTION_LENGTH));
	value = le32_load(at(head, PATTERN_VALUE_LENGTH));
	if ((uint64_t)domain + expression + exception + value > body.size ||
	    *at(head, PATTERN_KIND) > TABLE_PATTERN_ENDIF ||
	    *at(head, PATTERN_RESULT) > TABLE_ENTRY_DISCARD)
		return false;
	*out_pattern = (struct table_pattern){
		.kind = (enum table_pattern_kind) * at(head, PATTERN_KIND),
		.flags = *at(head, PATTERN_FLAGS),
		.global_line = le32_load(at(head, PATTERN_GLOBAL_LINE)),
		.result = (enum table_entry_kind) * at(head, PATTERN_RESULT),
	};
	out_pattern->domain = take(&body, domain);
	out_pattern->expression = take(&body, expression);
	out_pattern->exception = take(&body, exception);
	out_pattern->value = take(&body, value);
	*rest = body;
	return true;
}

bool pattern_append(struct buffer *section, const struct table_pattern *pattern)
{
	char head[PATTERN_HEAD];

	le32_store(head + PATTERN_GLOBAL_LINE, pattern->global_line);
	head[PATTERN_KIND] = (char)pattern->kind;
	head[PATTERN_FLAGS] = (char)pattern->flags;
	head[PATTERN_RESULT] = (char)pattern->result;
	head[PATTERN_DOMAIN_LENGTH] = (char)pattern->domain.size;
	le32_store(head + PATTERN_EXPRESSION_LENGTH, (uint32_t)pattern->expression.size);
	le32_store(head + PATTERN_EXCEPTION_LENGTH, (uint32_t)pattern->exception.size);
	le32_store(head + PATTERN_VALUE_LENGTH, (uint32_t)pattern->value.size);
	return buffer_append(section, bytes_make(head, sizeof(head))) &&
	       buffer_append(section, pattern->domain) &&
	       buffer_append(section, pattern->expression) &&
	       buffer_append(section, pattern->exception) && buffer_append(section, pattern->value);
}

/* ---- expressions ------------------------------------------------------------------------ */

pcre2_code *pattern_code(struct bytes expression, unsigned flags, struct error *err)
{
	/* Of bytes, not characters, as in Postfix 3.7 (measured: `^..@x$` matches ö@x). */
	uint32_t set = PCRE2_NEVER_BACKSLASH_C;
	int number;
	PCRE2_SIZE offset;
	pcre2_code *code;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if ((flags & options[i].flag) != 0)
			set |= options[i].pcre2;
	code = pcre2_compile((PCRE2_SPTR)expression.data, expression.size, set, &number, &offset,
			     NULL);
	if (code == NULL && number == PCRE2_ERROR_HEAP_FAILED) {
		error_fill_memory(err);
	} else if (code == NULL) {
		char text[MESSAGE_BYTES];

		if (pcre2_get_error_message(number, (PCRE2_UCHAR *)text, sizeof(text)) < 0)
			text[0] = '\0';
		error_fill(err, EX_DATAERR, "pattern: %s (at byte %zu)", text, (size_t)offset);
	}
	return code;
}

bool table_pattern_check(const struct table_pattern *pattern, uint32_t *out_groups,
			 struct error *err)
{
	pcre2_code *code = pattern_code(pattern->expression, pattern->flags, err);
	pcre2_code *exception = NULL;

	if (code == NULL)
		return false;
	if (pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, out_groups) != 0)
		*out_groups = 0;
	if (pattern->exception.size > 0)
		exception = pattern_code(pattern->exception, pattern->flags, err);
	/* What doesn't match has no groups. */
	if ((pattern->flags & TABLE_PATTERN_NEGATED) != 0)
		*out_groups = 0;
	pcre2_code_free(code);
	pcre2_code_free(exception);
	return pattern->exception.size == 0 || exception != NULL;
}

/* ---- substitution ----------------------------------------------------------------------- */

/* What may be put into a list of addresses without becoming another list. */
static bool is_safe(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if (byte < 0x80 && !pattern_is_label_byte((char)byte) &&
		    strchr("#$&'*+/=?^_`{|}~.@", byte) == NULL)
			return false;
		if (byte == '\0')
			return false;
	}
	return true;
}

/* What the group NUMBER matched of SUBJECT: nothing, if it took no part in the match. */
static struct bytes group_text(struct bytes subject, const PCRE2_SIZE *groups, uint32_t group_count,
			       uint32_t number)
{
	PCRE2_SIZE begin, end;

	if (number >= group_count)
		return bytes_make(NULL, 0);
	begin = groups[2UL * number];
	end = groups[2UL * number + 1];
	if (begin == PCRE2_UNSET || begin > end)
		return bytes_make(NULL, 0);
	return bytes_make(subject.data + begin, end - begin);
}

enum pattern_lookup pattern_substitute(struct bytes value, struct bytes subject,
				       const PCRE2_SIZE *groups, uint32_t group_count,
				       struct arena *arena, struct bytes *out_text)
{
	enum pattern_lookup outcome = PATTERN_FOUND;
	struct template_piece piece;
	enum template_step step;
	struct buffer text;

	buffer_init(&text, SUBSTITUTED_BYTES_MAX);
	while (outcome == PATTERN_FOUND && (step = template_next(&value, &piece)) != TEMPLATE_END) {
		if (step == TEMPLATE_GROUP)
			piece.text = group_text(subject, groups, group_count, piece.group);
		if (step == TEMPLATE_WRONG)
			outcome = PATTERN_BROKEN; /* the compiler lets none through */
		else if (step == TEMPLATE_GROUP && !is_safe(piece.text))
			outcome = PATTERN_UNSAFE;
		else if (!buffer_append(&text, piece.text))
			outcome = PATTERN_NO_MEMORY;
	}
	if (outcome == PATTERN_FOUND && !arena_copy(arena, buffer_bytes(&text), out_text))
		outcome = PATTERN_NO_MEMORY;
	buffer_free(&text);
	return outcome;
}
