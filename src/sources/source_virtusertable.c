/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_virtusertable - Sendmail's virtusertable, as makemap reads it: `key whitespace target`.
 *
 * Sendmail asks for `u+d@dom`, `u++@dom` (if d is not empty), `u+*@dom`, `u@dom`, `++@dom`,
 * `+*@dom`, `@dom`, and puts the user for %1, d for %2, +d for %3. Keys of our own kind become
 * entries. What is left becomes patterns, in Sendmail's order. Since patterns go before the keys
 * without extension, a `u@dom` becomes a pattern too where a later form of its domain is one.
 */
#include "sources/source.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "sources/line_source.h"
#include "sources/virtuser.h"

struct source {
	struct line_source base;
	const struct settings *settings;
	struct arena arena;          /* of the rules that are kept */
	struct virtuser_rule *rules; /* kept until all lines were read */
	size_t count;
	size_t room;
	struct bytes *domains; /* sorted: where `u@dom` must be a pattern too */
	size_t domain_count;
	enum virtuser_form form; /* of the patterns that are handed out now */
	size_t at;               /* in rules */
	bool is_read;            /* all lines are */
	bool is_second;          /* the second pattern of the rule at `at` comes next */
	bool has_user;
	struct buffer expression;
	struct buffer value;
};

static void virtuser_close(struct source *source)
{
	if (source == NULL)
		return;
	arena_free(&source->arena);
	free(source->rules);
	free(source->domains);
	buffer_free(&source->expression);
	buffer_free(&source->value);
	line_source_close(source);
}

static struct source *virtuser_open(const struct settings_source *from,
				    const struct settings *settings, struct report *report)
{
	struct source *source = line_source_open(sizeof(*source), from, LINES_PHYSICAL, report);

	if (source == NULL)
		return NULL;
	source->settings = settings;
	arena_init(&source->arena, SIZE_MAX);
	buffer_init(&source->expression, VIRTUSER_TEXT_MAX);
	buffer_init(&source->value, VIRTUSER_TEXT_MAX);
	return source;
}

static bool no_memory(const struct source *source)
{
	report_error(source->base.report, EX_OSERR, source->base.path, 0, "out of memory");
	return false;
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* Keep a copy of RULE, for the patterns. */
static bool keep(struct source *source, const struct virtuser_rule *rule)
{
	struct virtuser_rule copy = *rule;

	if (source->count == source->room) {
		size_t room = source->room == 0 ? 64 : 2 * source->room;
		struct virtuser_rule *rules = realloc(source->rules, room * sizeof(*rules));

		if (rules == NULL)
			return no_memory(source);
		source->rules = rules;
		source->room = room;
	}
	if (!arena_copy(&source->arena, rule->user, &copy.user) ||
	    !arena_copy(&source->arena, rule->domain, &copy.domain) ||
	    !arena_copy(&source->arena, rule->value, &copy.value))
		return no_memory(source);
	source->rules[source->count++] = copy;
	return true;
}

static bool read_rule(const struct source *source, struct bytes line, uint32_t number,
		      struct virtuser_rule *out_rule)
{
	struct error err;

	if (virtuser_parse(line, out_rule, &err)) {
		out_rule->line = number;
		return true;
	}
	report_error(source->base.report, err.status, source->base.path, number, "%s", err.text);
	return false;
}

/* A buffer is full: why? */
static void refuse_size(const struct source *source, const struct virtuser_rule *rule)
{
	if (source->expression.was_short_of_memory || source->value.was_short_of_memory)
		report_error(source->base.report, EX_OSERR, source->base.path, rule->line,
			     "out of memory");
	else
		report_error(source->base.report, EX_DATAERR, source->base.path, rule->line,
			     "the value becomes too long");
}

/* Make *OUT_ROW the entry that RULE gives, if it gives one. */
static enum line_outcome make_entry(struct source *source, const struct virtuser_rule *rule,
				    struct source_row *out_row)
{
	if (!virtuser_is_entry(rule))
		return LINE_IS_NONE;
	source->has_user |= rule->form == VIRTUSER_USER;
	virtuser_entry(rule, &source->value);
	if (source->value.has_failed) {
		refuse_size(source, rule);
		return LINE_IS_NONE;
	}
	*out_row = (struct source_row){
		.kind = SOURCE_ROW_ENTRY,
		.key = rule->key,
		.value = buffer_bytes(&source->value),
		.line = rule->line,
	};
	return LINE_IS_ROW;
}

static enum line_outcome read_row(struct source *source, struct bytes line, uint32_t number,
				  struct source_row *out_row)
{
	struct virtuser_rule rule;

	if (!read_rule(source, line, number, &rule))
		return LINE_IS_NONE;
	/* Of a `u@dom` nobody knows yet whether it will be wanted. */
	if ((rule.form == VIRTUSER_USER || !virtuser_is_entry(&rule)) && !keep(source, &rule))
		return LINE_FAILED;
	return make_entry(source, &rule, out_row);
}

/* ---- patterns ------------------------------------------------------------------------------- */

static int compare_domains(const void *a, const void *b)
{
	const struct bytes *first = a, *second = b;
	size_t least = first->size < second->size ? first->size : second->size;

	for (size_t i = 0; i < least; i++) {
		int order = byte_to_lower(first->data[i]) - byte_to_lower(second->data[i]);

		if (order != 0)
			return order;
	}
	return (first->size > second->size) - (first->size < second->size);
}

/* Which domains have a pattern that would go before a `u@dom`? */
static bool collect_domains(struct source *source)
{
	source->domains = calloc(source->count + 1, sizeof(*source->domains));
	if (source->domains == NULL)
		return no_memory(source);
	for (size_t i = 0; i < source->count; i++)
		if (source->rules[i].form > VIRTUSER_USER)
			source->domains[source->domain_count++] = source->rules[i].domain;
	if (source->domain_count > 0)
		qsort(source->domains, source->domain_count, sizeof(*source->domains),
		      compare_domains);
	return true;
}

static bool is_wanted(const struct source *source, const struct virtuser_rule *rule)
{
	if (rule->form != source->form)
		return false;
	if (rule->form != VIRTUSER_USER || virtuser_uses_detail(rule))
		return true;
	return source->domain_count > 0 &&
	       bsearch(&rule->domain, source->domains, source->domain_count,
		       sizeof(*source->domains), compare_domains) != NULL;
}

/* False: an error was reported. */
static bool make_pattern(struct source *source, const struct virtuser_rule *rule,
			 struct source_row *out_row)
{
	struct table_pattern pattern = {
		.kind = TABLE_PATTERN_RULE,
		.flags = TABLE_PATTERN_CASELESS | TABLE_PATTERN_DOTALL |
			 TABLE_PATTERN_DOLLAR_ENDONLY,
	};
	struct error err;
	uint32_t groups;

	virtuser_pattern(rule, source->is_second, &source->expression, &source->value);
	if (source->expression.has_failed || source->value.has_failed) {
		refuse_size(source, rule);
		return false;
	}
	pattern.expression = buffer_bytes(&source->expression);
	if (!table_pattern_check(&pattern, &groups, &err)) {
		report_error(source->base.report, err.status, source->base.path, rule->line, "%s",
			     err.text);
		return false;
	}
	*out_row = (struct source_row){
		.kind = SOURCE_ROW_PATTERN,
		.value = buffer_bytes(&source->value),
		.line = rule->line,
		.pattern = {
			.kind = pattern.kind,
			.flags = pattern.flags,
			.expression = pattern.expression,
			.group_count = groups,
		},
	};
	return true;
}

static enum source_step next_pattern(struct source *source, struct source_row *out_row)
{
	for (; source->form <= VIRTUSER_DOMAIN; source->form++, source->at = 0) {
		while (source->at < source->count) {
			const struct virtuser_rule *rule = &source->rules[source->at];
			bool is_made =
				is_wanted(source, rule) && make_pattern(source, rule, out_row);

			/* A `@dom` is one pattern for `u+d` and one for `u`. */
			source->is_second =
				is_made && rule->form == VIRTUSER_DOMAIN && !source->is_second;
			if (!source->is_second)
				source->at++;
			if (is_made)
				return SOURCE_ROW;
		}
	}
	return SOURCE_END;
}

/* What our keys do that Sendmail's don't. */
static void warn_of_differences(const struct source *source)
{
	const struct settings *settings = source->settings;

	if (!source->has_user)
		return;
	if (strchr(settings->recipient_delimiter, '+') == NULL)
		report_warning(source->base.report, WARNING_EXTENSION, source->base.path, 0,
			       "recipient_delimiter has no \"+\": user+detail finds no user");
	else if (settings->propagate_extension)
		report_warning(source->base.report, WARNING_EXTENSION, source->base.path, 0,
			       "propagate_extension adds +detail to targets; Sendmail does so "
			       "only by %%2 and %%3");
}

static enum source_step virtuser_next(struct source *source, struct source_row *out_row)
{
	enum source_step step;

	if (!source->is_read) {
		step = line_source_next(source, read_row, out_row);
		if (step != SOURCE_END)
			return step;
		source->is_read = true;
		source->form = VIRTUSER_DETAIL;
		warn_of_differences(source);
		if (!collect_domains(source))
			return SOURCE_FAILED;
	}
	return next_pattern(source, out_row);
}

const struct source_type source_type_virtusertable = {
	.name = "virtusertable",
	.open = virtuser_open,
	.next = virtuser_next,
	.close = virtuser_close,
};
