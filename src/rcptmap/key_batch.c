/* SPDX-License-Identifier: BSD-2-Clause */
#include "rcptmap/key_batch.h"

#include <sysexits.h>

#include "mail/address.h"
#include "mail/fold.h"
#include "mail/plain.h"
#include "show/print.h"
#include "table/patterns.h"

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
	struct error err = { .status = 0 };
	enum lookup outcome;

	question->is_plain = plain_split_key(text, &question->local, out_domain);
	question->is_catch_all = question->is_plain && question->local.size == 0;
	if (question->is_plain)
		return LOOKUP_FOUND;
	if (text.size > ADDRESS_TEXT_MAX ||
	    !address_parse_key(text, arena, &address, &question->is_catch_all, &err))
		return err.status == EX_OSERR ? LOOKUP_BROKEN : LOOKUP_ABSENT;
	outcome = lookup_of_fold(fold_local(address.local, arena, &question->local));
	if (outcome != LOOKUP_FOUND)
		return outcome;
	return lookup_of_fold(fold_domain(address.domain, arena, out_domain));
}

static void find_domain(const struct table *table, struct question *question, struct arena *arena)
{
	struct bytes domain = { 0 };

	question->declaration = NULL;
	question->subject = bytes_make(NULL, 0);
	question->found = fold_key(question->text, arena, question, &domain);
	if (question->found != LOOKUP_FOUND)
		return;
	question->domain_key = domain;
	if (domain.size > 0 && !question->is_catch_all)
		question->subject = question->text;
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

/* As Postfix asks patterns for whole addresses: those of sources before the key's come first. */
static void find_pattern(const struct table *table, struct question *question, struct arena *arena)
{
	uint32_t before_line = UINT32_MAX;
	struct table_entry entry;

	if (question->subject.size == 0 || question->found == LOOKUP_BROKEN)
		return;
	if (question->found == LOOKUP_FOUND &&
	    table_provenance_source(table, &question->entry, &before_line) != LOOKUP_FOUND) {
		question->found = LOOKUP_BROKEN;
		return;
	}
	switch (table_match(table, question->subject, question->domain_key, before_line, arena,
			    &entry)) {
	case PATTERN_FOUND:
		question->found = LOOKUP_FOUND;
		question->entry = entry;
		return;
	case PATTERN_ABSENT:
	case PATTERN_UNSAFE:
		return;
	case PATTERN_BROKEN:
	case PATTERN_NO_MEMORY:
	case PATTERN_GAVE_UP:
		question->found = LOOKUP_BROKEN;
		return;
	}
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

void key_batch_answer(const struct table *table, struct question *questions, size_t count,
		      struct arena *arena)
{
	for (size_t i = 0; i < count; i++)
		find_domain(table, &questions[i], arena);
	for (size_t i = 0; i < count; i++)
		if (questions[i].found == LOOKUP_FOUND && !questions[i].is_catch_all)
			table_prefetch_entry(table, questions[i].domain.hash, questions[i].local);
	for (size_t i = 0; i < count; i++)
		find_entry(table, &questions[i]);
	for (size_t i = 0; table_has_patterns(table) && i < count; i++)
		find_pattern(table, &questions[i], arena);
	for (size_t i = 0; i < count; i++)
		find_declaration(table, &questions[i], arena);
}

/* The key that will be asked for first: without its extension where no key has one. */
static struct bytes first_key(const struct table *table, const struct table_domain *domain,
			      struct bytes local)
{
	struct bytes user;
	struct bytes extension;

	if ((domain->flags & TABLE_DOMAIN_EXTENSIONS) == 0 &&
	    address_split_extension(local, table_rules(table)->delimiters, &user, &extension))
		return user;
	return local;
}

static bool guess_key(const struct table *table, struct bytes text, struct question *question)
{
	struct bytes domain;

	if (text.size > 2 && text.data[0] == '<' && text.data[text.size - 1] == '>')
		text = bytes_make(text.data + 1, text.size - 2);
	if (!plain_split_key(text, &question->local, &domain) || question->local.size == 0 ||
	    table_find_domain(table, domain, &question->domain) != LOOKUP_FOUND)
		return false;
	question->local = first_key(table, &question->domain, question->local);
	return true;
}

void key_batch_prefetch(const struct table *table, const struct bytes *texts, size_t count)
{
	struct question guesses[KEY_BATCH_MAX];
	size_t guess_count = 0;

	for (size_t i = 0; i < count && i < KEY_BATCH_MAX; i++) {
		struct question *guess = &guesses[guess_count];

		if (!guess_key(table, texts[i], guess))
			continue;
		table_prefetch(table, guess->domain.hash, guess->local);
		guess_count++;
	}
	for (size_t i = 0; i < guess_count; i++)
		table_prefetch_entry(table, guesses[i].domain.hash, guesses[i].local);
}
