/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern_code - one rule: its bytes, its expression, its substitution.
 */
#include <string.h>
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

/* NULL: ERR. */
static pcre2_code *make_code(struct bytes expression, unsigned flags, struct error *err)
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
	pcre2_code *code = make_code(pattern->expression, pattern->flags, err);
	pcre2_code *exception = NULL;

	if (code == NULL)
		return false;
	if (pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, out_groups) != 0)
		*out_groups = 0;
	if (pattern->exception.size > 0)
		exception = make_code(pattern->exception, pattern->flags, err);
	/* What doesn't match has no groups. */
	if ((pattern->flags & TABLE_PATTERN_NEGATED) != 0)
		*out_groups = 0;
	pcre2_code_free(code);
	pcre2_code_free(exception);
	return pattern->exception.size == 0 || exception != NULL;
}

/* ---- matching --------------------------------------------------------------------------- */

enum {
	HEAP_LIMIT_KIB = 4096,
	/* Another place to begin at costs a call; a step costs more where items are long. */
	STEPS_PER_START = 8,
	BYTES_PER_STEP = 128,
};

bool pattern_limits_init(struct pattern_limits *limits)
{
	uint32_t steps = PATTERN_FIRST_STEPS;

	for (size_t i = 0; i < PATTERN_LEVELS; i++, steps *= 4) {
		limits->levels[i] = pcre2_match_context_create(NULL);
		if (limits->levels[i] == NULL)
			return false;
		(void)pcre2_set_match_limit(limits->levels[i], steps); /* these two can't fail */
		(void)pcre2_set_heap_limit(limits->levels[i], HEAP_LIMIT_KIB);
	}
	return true;
}

void pattern_limits_free(struct pattern_limits *limits)
{
	for (size_t i = 0; i < PATTERN_LEVELS; i++)
		pcre2_match_context_free(limits->levels[i]);
}

/* Can matching not begin at any byte as if it were the first one asked? */
static bool depends_on_begin(struct bytes expression)
{
	for (size_t i = 0; i + 1 < expression.size; i++)
		if ((expression.data[i] == '(' && expression.data[i + 1] == '*') ||
		    (expression.data[i] == '\\' && expression.data[i + 1] == 'G'))
			return true;
	return false;
}

/* Where can a match of MACHINE begin? */
static void learn_starts(struct pattern_machine *machine, struct bytes expression)
{
	uint32_t all_options = 0;
	uint32_t type = 0;
	uint32_t first = 0;

	/* They can't fail: the code is good, and so are the names of what is asked for. */
	(void)pcre2_pattern_info(machine->code, PCRE2_INFO_ALLOPTIONS, &all_options);
	(void)pcre2_pattern_info(machine->code, PCRE2_INFO_FIRSTCODETYPE, &type);
	(void)pcre2_pattern_info(machine->code, PCRE2_INFO_FIRSTCODEUNIT, &first);
	(void)pcre2_pattern_info(machine->code, PCRE2_INFO_FIRSTBITMAP, &machine->starts);
	machine->has_first = type == 1;
	machine->first = byte_to_lower((char)first);
	if (depends_on_begin(expression))
		machine->start = PATTERN_START_UNKNOWN;
	else if ((all_options & PCRE2_ANCHORED) != 0)
		machine->start = PATTERN_START_BEGIN;
	else
		machine->start = type == 2 ? PATTERN_START_LINE : PATTERN_START_ANYWHERE;
}

bool pattern_machine_init(struct pattern_machine *machine, struct bytes expression, unsigned flags,
			  struct error *err)
{
	*machine = (struct pattern_machine){ .code = make_code(expression, flags, err) };
	if (machine->code == NULL)
		return false;
	pattern_literals(expression, flags, &machine->end, &machine->anywhere);
	learn_starts(machine, expression);
	return true;
}

void pattern_machine_free(struct pattern_machine *machine)
{
	pcre2_code_free(machine->code);
	machine->code = NULL;
}

static enum pattern_lookup outcome_of(int result)
{
	if (result >= 0)
		return PATTERN_FOUND;
	switch (result) {
	case PCRE2_ERROR_NOMATCH:
		return PATTERN_ABSENT;
	case PCRE2_ERROR_NOMEMORY:
		return PATTERN_NO_MEMORY;
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
		return PATTERN_GAVE_UP;
	default:
		return PATTERN_BROKEN;
	}
}

/* One subject against one machine. */
struct pattern_run {
	const struct pattern_machine *machine;
	const struct pattern_limits *limits;
	struct bytes subject;
	pcre2_match_data *data;
	struct pattern_budget *budget;
};

static bool charge(const struct pattern_run *run, uint64_t steps)
{
	if (steps > run->budget->left)
		return false;
	run->budget->left -= steps;
	return true;
}

/* What STEPS cost from each of STARTS places. */
static uint64_t price(const struct pattern_run *run, uint64_t steps, uint64_t starts)
{
	return steps * starts * (1 + run->subject.size / BYTES_PER_STEP);
}

static int run_level(const struct pattern_run *run, size_t start, unsigned level)
{
	bool is_any = run->machine->start == PATTERN_START_UNKNOWN;

	return pcre2_match(run->machine->code, (PCRE2_SPTR)run->subject.data, run->subject.size,
			   start, is_any ? 0 : PCRE2_ANCHORED, run->data,
			   run->limits->levels[level]);
}

/* From START on, with more and more steps. */
static enum pattern_lookup run_at(const struct pattern_run *run, size_t start)
{
	/* PCRE2 counts anew at each byte. */
	uint64_t starts = run->machine->start == PATTERN_START_UNKNOWN ? run->subject.size + 1 : 1;
	uint64_t steps = PATTERN_FIRST_STEPS;
	int result = run_level(run, start, 0);

	if (result != PCRE2_ERROR_MATCHLIMIT)
		return outcome_of(result);
	/* It isn't cheap: can it be saved? */
	if (!pattern_literal_is_in(&run->machine->anywhere, run->subject))
		return PATTERN_ABSENT;
	for (unsigned level = 1; level < PATTERN_LEVELS; level++) {
		steps *= 4;
		if (!charge(run, price(run, steps, starts)))
			break;
		result = run_level(run, start, level);
		if (result != PCRE2_ERROR_MATCHLIMIT)
			return outcome_of(result);
	}
	return PATTERN_GAVE_UP;
}

/* May a match begin at START? */
static bool is_start(const struct pattern_run *run, size_t start)
{
	const struct pattern_machine *machine = run->machine;
	unsigned char byte;

	if (machine->start == PATTERN_START_LINE)
		return run->subject.data[start - 1] == '\n';
	if (start == run->subject.size)
		return !machine->has_first && machine->starts == NULL;
	byte = (unsigned char)run->subject.data[start];
	if (machine->has_first)
		return byte_to_lower((char)byte) == machine->first;
	return machine->starts == NULL || (machine->starts[byte / 8] >> byte % 8 & 1) != 0;
}

enum pattern_lookup pattern_machine_run(const struct pattern_machine *machine,
					const struct pattern_limits *limits, struct bytes subject,
					pcre2_match_data *data, struct pattern_budget *budget)
{
	const struct pattern_run run = { machine, limits, subject, data, budget };
	enum pattern_lookup outcome;

	if (!pattern_literal_ends(&machine->end, subject))
		return PATTERN_ABSENT;
	outcome = run_at(&run, 0);
	if (outcome != PATTERN_ABSENT || machine->start == PATTERN_START_BEGIN ||
	    machine->start == PATTERN_START_UNKNOWN)
		return outcome;
	if (!pattern_literal_is_in(&machine->anywhere, subject))
		return PATTERN_ABSENT;
	for (size_t start = 1; start <= subject.size && outcome == PATTERN_ABSENT; start++) {
		if (!is_start(&run, start))
			continue;
		if (!charge(&run, STEPS_PER_START))
			return PATTERN_GAVE_UP;
		outcome = run_at(&run, start);
	}
	return outcome;
}

/* ---- substitution ----------------------------------------------------------------------- */

/* How far a text has come: within a quoted string, behind a backslash. */
struct quoting {
	bool is_quoted;
	bool is_escaped;
};

static void quoting_take(struct quoting *quoting, char c)
{
	bool was_escaped = quoting->is_escaped;

	quoting->is_escaped = !was_escaped && c == '\\';
	if (!was_escaped && c == '"')
		quoting->is_quoted = !quoting->is_quoted;
}

/* A value while it is being filled: what its own text quotes, and the text with the groups. */
struct filling {
	struct quoting own;
	struct quoting filled;
};

/* Of a word, in quotes or not. */
static bool is_word_byte(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte >= 0x80 || pattern_is_label_byte(c) ||
	       (byte != '\0' && strchr("#$&'*+/=?^_`{|}~.", byte) != NULL);
}

/* The value's own TEXT comes next: a quote that a group opened may hold words, no separator. */
static bool take_own(struct filling *filling, struct bytes text)
{
	for (size_t i = 0; i < text.size; i++) {
		bool is_as_written = filling->own.is_quoted == filling->filled.is_quoted;

		if (!is_as_written && !is_word_byte(text.data[i]))
			return false;
		quoting_take(&filling->own, text.data[i]);
		quoting_take(&filling->filled, text.data[i]);
	}
	return true;
}

/* A group's TEXT comes next: outside quotes no byte that needs them, and none of the value's own
 * quotes is closed. */
static bool take_group(struct filling *filling, struct bytes text)
{
	struct quoting *filled = &filling->filled;

	filling->own.is_escaped = false;
	for (size_t i = 0; i < text.size; i++) {
		bool is_quote = text.data[i] == '"' && !filled->is_escaped;
		bool is_safe =
			filled->is_quoted || is_word_byte(text.data[i]) || text.data[i] == '@';

		if (is_quote ? filling->own.is_quoted : !is_safe)
			return false;
		quoting_take(filled, text.data[i]);
	}
	return !filled->is_escaped;
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
	struct filling filling = { .own = { .is_quoted = false } };
	enum pattern_lookup outcome = PATTERN_FOUND;
	struct template_piece piece;
	enum template_step step;
	struct buffer text;

	buffer_init(&text, SUBSTITUTED_BYTES_MAX);
	while (outcome == PATTERN_FOUND && (step = template_next(&value, &piece)) != TEMPLATE_END) {
		bool is_group = step == TEMPLATE_GROUP;

		if (is_group)
			piece.text = group_text(subject, groups, group_count, piece.group);
		if (step == TEMPLATE_WRONG)
			outcome = PATTERN_BROKEN; /* the compiler lets none through */
		else if (is_group ? !take_group(&filling, piece.text)
				  : !take_own(&filling, piece.text))
			outcome = PATTERN_UNSAFE;
		else if (!buffer_append(&text, piece.text))
			outcome = PATTERN_NO_MEMORY;
	}
	if (outcome == PATTERN_FOUND && filling.own.is_quoted != filling.filled.is_quoted)
		outcome = PATTERN_UNSAFE;
	if (outcome == PATTERN_FOUND && !arena_copy(arena, buffer_bytes(&text), out_text))
		outcome = PATTERN_NO_MEMORY;
	buffer_free(&text);
	return outcome;
}
