/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/question.h"

#include "mail/address.h"
#include "mail/fold.h"
#include "rcptmap/print.h"

static enum lookup lookup_of_fold(enum fold_outcome outcome)
{
	switch (outcome) {
	case FOLD_OK:
		return LOOKUP_FOUND;
	case FOLD_INVALID:
		return LOOKUP_ABSENT;
	case FOLD_NO_MEMORY:
		break;
	}
	return LOOKUP_BROKEN;
}

/* Key and domain in folded form; ABSENT: no key can look so. */
static enum lookup fold_key(struct bytes text, struct arena *arena, struct question *question,
			    struct bytes *out_domain)
{
	struct address address;
	enum lookup outcome;

	if (text.size > ADDRESS_TEXT_MAX ||
	    !address_parse_key(text, arena, &address, &question->is_catch_all, NULL))
		return LOOKUP_ABSENT;
	outcome = lookup_of_fold(fold_local(address.local, arena, &question->local));
	if (outcome != LOOKUP_FOUND)
		return outcome;
	return lookup_of_fold(fold_domain(address.domain, arena, out_domain));
}

static void find_domain(const struct table *table, struct question *question, struct arena *arena)
{
	struct bytes domain = { 0 };

	question->declaration = NULL;
	question->found = fold_key(question->text, arena, question, &domain);
	if (question->found != LOOKUP_FOUND)
		return;
	question->found = table_find_domain(table, domain, &question->domain);
	if (question->found == LOOKUP_FOUND)
		table_prefetch(table, question->domain.hash, question->local);
}

static void find_entry(const struct table *table, struct question *question)
{
	if (question->found != LOOKUP_FOUND)
		return;
	if (question->is_catch_all)
		question->found = table_find_catch_all(table, &question->domain, &question->entry);
	else
		question->found =
			table_find(table, &question->domain, question->local, &question->entry);
}

/* A word without `@` that is no user may be a domain. */
static void find_declaration(const struct table *table, struct question *question,
			     struct arena *arena)
{
	struct table_domain domain;
	struct bytes name;
	enum lookup found;

	if (question->found != LOOKUP_ABSENT || bytes_contain(question->text, '@'))
		return;
	found = lookup_of_fold(fold_domain(question->text, arena, &name));
	if (found == LOOKUP_FOUND && name.size > 0)
		found = table_find_domain(table, name, &domain);
	else if (found == LOOKUP_FOUND)
		found = LOOKUP_ABSENT;
	if (found == LOOKUP_FOUND) {
		question->declaration = print_declaration(&domain);
		if (question->declaration == NULL)
			found = LOOKUP_ABSENT;
	}
	question->found = found;
}

void question_answer(const struct table *table, struct question *questions, size_t count,
		     struct arena *arena)
{
	for (size_t i = 0; i < count; i++)
		find_domain(table, &questions[i], arena);
	for (size_t i = 0; i < count; i++)
		if (questions[i].found == LOOKUP_FOUND && !questions[i].is_catch_all)
			table_prefetch_entry(table, questions[i].domain.hash, questions[i].local);
	for (size_t i = 0; i < count; i++)
		find_entry(table, &questions[i]);
	for (size_t i = 0; i < count; i++)
		find_declaration(table, &questions[i], arena);
}
