/* SPDX-License-Identifier: BSD-2-Clause */
#include "table/patterns.h"

#include <stdlib.h>
#include <sysexits.h>

#include "table/patterns_inside.h"
#include "table/template.h"

enum {
	SUBJECT_BYTES_MAX = 1000,
	NO_BLOCK = -1,
};

/* A rule, compiled. */
struct rule {
	struct table_pattern pattern;
	struct pattern_machine machine;
	struct pattern_machine exception;
	int32_t block;       /* the `if` it stands in: its rule, or NO_BLOCK */
	uint32_t next_filed; /* the next rule of the same domain; 0: none, numbers from 1 */
};

struct pattern_set {
	struct rule *rules;
	size_t count;
	uint32_t *filed; /* by hash of the domain: number of the first rule, from 1 */
	uint32_t *filed_last;
	size_t filed_mask;
	uint64_t seed;  /* of that hash: the table's */
	uint32_t *open; /* rules that are tried for every address, in order */
	size_t open_count;
	struct pattern_limits limits;
};

bool table_has_patterns(const struct table *table)
{
	return table->pattern_set != NULL;
}

enum lookup table_next_pattern(const struct table *table, uint64_t *position,
			       struct table_pattern *out_pattern)
{
	if (table->pattern_set == NULL || *position >= table->pattern_set->count)
		return LOOKUP_ABSENT;
	*out_pattern = table->pattern_set->rules[(*position)++].pattern;
	return LOOKUP_FOUND;
}

/* ---- loading ---------------------------------------------------------------------------- */

static void set_free(struct pattern_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; set->rules != NULL && i < set->count; i++) {
		pattern_machine_free(&set->rules[i].machine);
		pattern_machine_free(&set->rules[i].exception);
	}
	free(set->rules);
	free(set->filed);
	free(set->filed_last);
	free(set->open);
	pattern_limits_free(&set->limits);
	free(set);
}

void patterns_unload(struct table *table)
{
	set_free(table->pattern_set);
	table->pattern_set = NULL;
}

static struct pattern_set *set_new(size_t count, uint64_t seed)
{
	struct pattern_set *set = calloc(1, sizeof(*set));
	size_t slots = 16;

	if (set == NULL)
		return NULL;
	while (slots < count * 2)
		slots *= 2;
	*set = (struct pattern_set){
		.rules = calloc(count + 1, sizeof(*set->rules)), /* a set may be empty */
		.filed = calloc(slots, sizeof(*set->filed)),
		.filed_last = calloc(slots, sizeof(*set->filed_last)),
		.filed_mask = slots - 1,
		.seed = seed,
		.open = calloc(count + 1, sizeof(*set->open)),
	};
	if (set->rules == NULL || set->filed == NULL || set->filed_last == NULL ||
	    set->open == NULL || !pattern_limits_init(&set->limits)) {
		set_free(set);
		return NULL;
	}
	return set;
}

/* Rules whose domains share a slot share a list: each is matched in full anyway. */
static void file_rule(struct pattern_set *set, uint32_t number)
{
	struct bytes domain = set->rules[number - 1].pattern.domain;
	size_t slot = hash_key(domain, set->seed) & set->filed_mask;

	if (set->filed[slot] == 0)
		set->filed[slot] = number;
	else
		set->rules[set->filed_last[slot] - 1].next_filed = number;
	set->filed_last[slot] = number;
}

static bool load_rule(struct pattern_set *set, struct bytes *rest, int32_t *block,
		      struct error *err)
{
	struct rule *rule = &set->rules[set->count];
	const struct table_pattern *pattern = &rule->pattern;

	if (!pattern_take(rest, &rule->pattern))
		return error_set(err, EX_DATAERR, "not a sound table: patterns");
	rule->block = *block;
	set->count++;
	if (pattern->kind == TABLE_PATTERN_ENDIF) {
		if (*block == NO_BLOCK)
			return error_set(err, EX_DATAERR, "not a sound table: endif without if");
		*block = set->rules[*block].block;
		return true;
	}
	if (!pattern_machine_init(&rule->machine, pattern->expression, pattern->flags, err))
		return false;
	if (pattern->exception.size > 0 &&
	    !pattern_machine_init(&rule->exception, pattern->exception, pattern->flags, err))
		return false;
	if (pattern->kind == TABLE_PATTERN_IF)
		*block = (int32_t)set->count - 1;
	else if (pattern->domain.size > 0)
		file_rule(set, (uint32_t)set->count);
	else
		set->open[set->open_count++] = (uint32_t)set->count;
	return true;
}

bool patterns_load(struct table *table, struct error *err)
{
	struct bytes rest = bytes_skip(table->patterns, 4);
	struct pattern_set *set;
	int32_t block = NO_BLOCK;
	uint32_t count;

	if (table->patterns.size < 4)
		return table->patterns.size == 0 ||
		       error_set(err, EX_DATAERR, "not a sound table: patterns");
	count = le32_load(table->patterns.data);
	if (count > PATTERN_RULES_MAX || count > rest.size / PATTERN_HEAD)
		return error_set(err, EX_DATAERR, "not a sound table: patterns");
	set = set_new(count, table->seed);
	if (set == NULL)
		return error_set_memory(err);
	table->pattern_set = set;
	for (uint32_t i = 0; i < count; i++)
		if (!load_rule(set, &rest, &block, err))
			return false;
	if (block != NO_BLOCK)
		return error_set(err, EX_DATAERR, "not a sound table: if without endif");
	return rest.size == 0 || error_set(err, EX_DATAERR, "not a sound table: patterns");
}

/* ---- matching --------------------------------------------------------------------------- */

/* One address against the rules. */
struct match {
	const struct pattern_set *set;
	struct bytes subject;
	pcre2_match_data *data;
	struct arena *arena;
	struct pattern_budget *budget;
};

static enum pattern_lookup run(const struct match *match, const struct pattern_machine *machine)
{
	return pattern_machine_run(machine, &match->set->limits, match->subject, match->data,
				   match->budget);
}

/* The answer the other way round; what can't be told can't be told so, either. */
static enum pattern_lookup negate(enum pattern_lookup outcome)
{
	switch (outcome) {
	case PATTERN_FOUND:
		return PATTERN_ABSENT;
	case PATTERN_ABSENT:
		return PATTERN_FOUND;
	case PATTERN_BROKEN:
	case PATTERN_NO_MEMORY:
	case PATTERN_GAVE_UP:
	case PATTERN_UNSAFE:
		break;
	}
	return outcome;
}

/* Does RULE match, its exception not, with `!` the other way round? */
static enum pattern_lookup try_rule(const struct match *match, const struct rule *rule)
{
	bool is_negated = (rule->pattern.flags & TABLE_PATTERN_NEGATED) != 0;
	enum pattern_lookup outcome = PATTERN_FOUND;

	if (rule->exception.code != NULL)
		outcome = negate(run(match, &rule->exception));
	if (outcome != PATTERN_FOUND)
		return outcome;
	outcome = run(match, &rule->machine);
	return is_negated ? negate(outcome) : outcome;
}

/* Where an entry that RULE makes comes from. */
static uint64_t place_of(const struct rule *rule)
{
	return PLACE_CATCH_ALL | rule->pattern.global_line;
}

/* Is there text in whatever RULE matches that the subject hasn't? Then no `if` need be asked. */
static bool is_out_of_question(const struct match *match, const struct rule *rule)
{
	return (rule->pattern.flags & TABLE_PATTERN_NEGATED) == 0 &&
	       !pattern_literal_ends(&rule->machine.end, match->subject);
}

/* Do RULE and all the `if`s around it hold? *OUT_PLACE is that of the one that gave up. */
static enum pattern_lookup try_all(const struct match *match, const struct rule *rule,
				   uint64_t *out_place)
{
	const struct rule *tried = rule;
	enum pattern_lookup outcome = PATTERN_FOUND;

	if (is_out_of_question(match, rule))
		return PATTERN_ABSENT;
	for (int32_t block = rule->block; block != NO_BLOCK && outcome == PATTERN_FOUND;
	     block = tried->block) {
		tried = &match->set->rules[block];
		outcome = try_rule(match, tried);
	}
	if (outcome == PATTERN_FOUND) {
		tried = rule;
		outcome = try_rule(match, rule);
	}
	*out_place = place_of(tried);
	return outcome;
}

/* Only so many groups of match->data have been set: beyond them is what was there before. */
static uint32_t count_groups(const struct match *match, const struct rule *rule)
{
	uint32_t room = pcre2_get_ovector_count(match->data);
	uint32_t captures;

	if ((rule->pattern.flags & TABLE_PATTERN_NEGATED) != 0 ||
	    pcre2_pattern_info(rule->machine.code, PCRE2_INFO_CAPTURECOUNT, &captures) != 0)
		return 0;
	return captures < room ? captures + 1 : room;
}

static enum pattern_lookup answer(const struct match *match, const struct rule *rule,
				  struct table_entry *out_entry)
{
	struct table_entry entry = {
		.kind = rule->pattern.result,
		.place = place_of(rule),
	};
	enum pattern_lookup outcome = PATTERN_FOUND;

	if (entry.kind != TABLE_ENTRY_TARGETS)
		entry.reply = rule->pattern.value;
	else
		outcome = pattern_substitute(
			rule->pattern.value, match->subject, pcre2_get_ovector_pointer(match->data),
			count_groups(match, rule), match->arena, &entry.pattern_value);
	/* Neither an answer nor a "no": an empty value would look like a key without targets. */
	if (outcome == PATTERN_FOUND && entry.kind == TABLE_ENTRY_TARGETS &&
	    entry.pattern_value.size == 0)
		outcome = PATTERN_UNSAFE;
	if (outcome == PATTERN_FOUND || outcome == PATTERN_UNSAFE)
		*out_entry = entry;
	return outcome;
}

/* The next number of two ascending lists; 0: both are at their end. */
static uint32_t next_number(const struct pattern_set *set, uint32_t *filed, size_t *open)
{
	uint32_t first_open = *open < set->open_count ? set->open[*open] : 0;
	uint32_t number;

	if (*filed != 0 && (first_open == 0 || *filed < first_open)) {
		number = *filed;
		*filed = set->rules[number - 1].next_filed;
		return number;
	}
	*open += first_open != 0;
	return first_open;
}

static enum pattern_lookup match_rules(const struct match *match, struct bytes domain_key,
				       uint32_t before_line, struct table_entry *out_entry)
{
	const struct pattern_set *set = match->set;
	uint32_t filed = set->filed[hash_key(domain_key, set->seed) & set->filed_mask];
	size_t open = 0;
	uint32_t number;

	while ((number = next_number(set, &filed, &open)) != 0) {
		const struct rule *rule = &set->rules[number - 1];
		enum pattern_lookup outcome;
		uint64_t place;

		if (rule->pattern.global_line >= before_line)
			break;
		/* Another domain's rule may share the slot. */
		if (rule->pattern.domain.size > 0 && !bytes_equal(rule->pattern.domain, domain_key))
			continue;
		outcome = try_all(match, rule, &place);
		if (outcome == PATTERN_FOUND)
			return answer(match, rule, out_entry);
		if (outcome == PATTERN_GAVE_UP)
			*out_entry = (struct table_entry){ .place = place };
		if (outcome != PATTERN_ABSENT)
			return outcome;
	}
	return PATTERN_ABSENT;
}

enum pattern_lookup table_match_within(const struct table *table,
				       const struct pattern_question *question,
				       struct table_entry *out_entry)
{
	struct match match = {
		.set = table->pattern_set,
		.subject = question->subject,
		.arena = question->arena,
		.budget = question->budget,
	};
	enum pattern_lookup outcome;

	if (match.set == NULL)
		return PATTERN_ABSENT;
	if (match.subject.size > SUBJECT_BYTES_MAX) {
		*out_entry = (struct table_entry){ .place = 0 };
		return PATTERN_GAVE_UP;
	}
	match.data = pcre2_match_data_create(TEMPLATE_GROUP_MAX + 1, NULL);
	if (match.data == NULL)
		return PATTERN_NO_MEMORY;
	outcome = match_rules(&match, question->domain_key, question->before_line, out_entry);
	pcre2_match_data_free(match.data);
	return outcome;
}

enum pattern_lookup table_match(const struct table *table, struct bytes subject,
				struct bytes domain_key, uint32_t before_line, struct arena *arena,
				struct table_entry *out_entry)
{
	struct pattern_budget budget = { .left = PATTERN_BUDGET_STEPS };
	const struct pattern_question question = {
		.subject = subject,
		.domain_key = domain_key,
		.before_line = before_line,
		.arena = arena,
		.budget = &budget,
	};

	return table_match_within(table, &question, out_entry);
}

enum pattern_lookup table_try_pattern(const struct table *table, uint64_t number,
				      struct bytes subject, uint64_t *out_steps)
{
	struct pattern_budget budget = { .left = PATTERN_BUDGET_STEPS };
	struct match match = {
		.set = table->pattern_set,
		.subject = subject,
		.data = pcre2_match_data_create(TEMPLATE_GROUP_MAX + 1, NULL),
		.budget = &budget,
	};
	enum pattern_lookup outcome;

	*out_steps = 0;
	if (match.data == NULL)
		return PATTERN_NO_MEMORY;
	outcome = try_rule(&match, &match.set->rules[number]);
	pcre2_match_data_free(match.data);
	*out_steps = outcome == PATTERN_GAVE_UP ? PATTERN_BUDGET_STEPS + 1
						: PATTERN_BUDGET_STEPS - budget.left;
	return outcome;
}
