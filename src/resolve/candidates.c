/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/candidates.h"

#include "base/buffer.h"
#include "mail/address.h"
#include "table/patterns.h"

/* One question, and where its answer goes. */
struct search {
	const struct table *table;
	const struct inquiry *inquiry;
	const struct candidate *candidate;
	struct table_entry *entry;
	struct candidate_hit *hit;
};

static void tell(const struct search *search, struct bytes local, struct bytes domain,
		 enum lookup outcome)
{
	const struct resolve_options *options = search->inquiry->options;

	if (options->on_step != NULL)
		options->on_step(options->context, local, domain, outcome,
				 outcome == LOOKUP_FOUND ? search->entry : NULL);
}

/* Ask for one key. */
static enum lookup ask(const struct search *search, const struct table_domain *domain,
		       struct bytes local, bool is_stripped)
{
	enum lookup outcome = table_find(search->table, domain, local, search->entry);

	tell(search, local, domain->name, outcome);
	search->hit->strips_extension = is_stripped;
	return outcome;
}

/* With and without the extension in one domain (or, with an empty name, among the bare keys). */
static enum lookup ask_both(const struct search *search, const struct table_domain *domain,
			    struct bytes user)
{
	bool is_split = user.size > 0;
	enum lookup outcome = LOOKUP_ABSENT;

	/* Where no key has a delimiter, none can have this extension. */
	if (!is_split || (domain->flags & TABLE_DOMAIN_EXTENSIONS) != 0)
		outcome = ask(search, domain, search->candidate->local, false);
	if (is_split && outcome == LOOKUP_ABSENT)
		outcome = ask(search, domain, user, true);
	return outcome;
}

static enum lookup ask_catch_all(const struct search *search)
{
	const struct table_domain *domain = search->candidate->domain;
	enum lookup outcome = table_find_catch_all(search->table, domain, search->entry);

	tell(search, bytes_make(NULL, 0), domain->name, outcome);
	search->hit->is_catch_all = true;
	search->hit->strips_extension = false;
	return outcome;
}

static enum lookup find_key(const struct search *search)
{
	const struct table_domain *domain = search->candidate->domain;
	struct bytes user = { .data = NULL };
	struct bytes extension;
	enum lookup outcome;

	(void)address_split_extension(search->candidate->local,
				      table_rules(search->table)->delimiters, &user, &extension);
	outcome = ask_both(search, domain, user);
	if (outcome == LOOKUP_ABSENT && (domain->flags & TABLE_DOMAIN_LOCAL) != 0) {
		struct table_domain bare;

		outcome = table_find_domain(search->table, bytes_make("", 0), &bare);
		if (outcome == LOOKUP_FOUND)
			outcome = ask_both(search, &bare, user);
	}
	return outcome == LOOKUP_ABSENT ? ask_catch_all(search) : outcome;
}

/* ---- patterns --------------------------------------------------------------------------- */

/* The line from which on patterns come too late: where the source of the key begins. */
static enum lookup line_of_whole_key(const struct search *search, uint32_t *out_line)
{
	const struct candidate *candidate = search->candidate;
	enum lookup outcome = LOOKUP_ABSENT;

	*out_line = UINT32_MAX;
	if ((candidate->domain->flags & TABLE_DOMAIN_PROBED) != 0)
		outcome = ask(search, candidate->domain, candidate->local, false);
	if (outcome == LOOKUP_FOUND &&
	    table_provenance_source(search->table, search->entry, out_line) != LOOKUP_FOUND)
		return LOOKUP_BROKEN;
	return outcome;
}

static enum pattern_lookup ask_patterns(const struct search *search, uint32_t before_line)
{
	const struct candidate *candidate = search->candidate;
	struct pattern_budget own = { .left = PATTERN_BUDGET_STEPS };
	struct pattern_question question = {
		.domain_key = candidate->domain->name,
		.before_line = before_line,
		.arena = search->inquiry->arena,
		.budget = search->inquiry->budget != NULL ? search->inquiry->budget : &own,
	};
	struct buffer subject;
	enum pattern_lookup outcome;

	buffer_init(&subject, ADDRESS_TEXT_MAX);
	if (!address_print(&candidate->written, &subject)) {
		outcome = subject.was_short_of_memory ? PATTERN_NO_MEMORY : PATTERN_BROKEN;
	} else {
		question.subject = buffer_bytes(&subject);
		outcome = table_match_within(search->table, &question, search->entry);
	}
	buffer_free(&subject);
	if (outcome != PATTERN_FOUND)
		return outcome;
	tell(search, candidate->local, candidate->domain->name, LOOKUP_FOUND);
	*search->hit = (struct candidate_hit){ .is_catch_all = false };
	return outcome;
}

/* Keys and patterns: all but ABSENT end it, that goes on with the partial keys. */
static enum candidate_outcome find_whole(const struct search *search)
{
	uint32_t before_line;
	enum lookup whole = line_of_whole_key(search, &before_line);

	if (whole == LOOKUP_BROKEN)
		return CANDIDATE_BROKEN;
	switch (ask_patterns(search, before_line)) {
	case PATTERN_FOUND:
		return CANDIDATE_FOUND;
	case PATTERN_UNSAFE:
		return CANDIDATE_UNSAFE;
	case PATTERN_BROKEN:
		return CANDIDATE_BROKEN;
	case PATTERN_NO_MEMORY:
		return CANDIDATE_NO_MEMORY;
	case PATTERN_GAVE_UP:
		return CANDIDATE_GAVE_UP;
	case PATTERN_ABSENT:
		break;
	}
	return whole == LOOKUP_FOUND ? CANDIDATE_FOUND : CANDIDATE_ABSENT;
}

/* ---- all together ----------------------------------------------------------------------- */

bool candidates_exist(const struct table *table, const struct table_domain *domain)
{
	return (domain->flags & TABLE_DOMAIN_PROBED) != 0 || table_has_patterns(table);
}

enum candidate_outcome candidates_find(const struct inquiry *inquiry,
				       const struct candidate *candidate,
				       struct table_entry *out_entry, struct candidate_hit *out_hit)
{
	const struct search search = {
		.table = inquiry->table,
		.inquiry = inquiry,
		.candidate = candidate,
		.entry = out_entry,
		.hit = out_hit,
	};

	out_hit->is_catch_all = false;
	out_hit->strips_extension = false;
	if (table_has_patterns(inquiry->table)) {
		enum candidate_outcome whole = find_whole(&search);

		if (whole != CANDIDATE_ABSENT)
			return whole;
	}
	if ((candidate->domain->flags & TABLE_DOMAIN_PROBED) == 0)
		return CANDIDATE_ABSENT;
	switch (find_key(&search)) {
	case LOOKUP_BROKEN:
		return CANDIDATE_BROKEN;
	case LOOKUP_ABSENT:
		return CANDIDATE_ABSENT;
	case LOOKUP_FOUND:
		break;
	}
	return CANDIDATE_FOUND;
}
