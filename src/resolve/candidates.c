/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/candidates.h"

#include "base/buffer.h"
#include "mail/address.h"
#include "table/patterns.h"

static void tell(const struct resolve_options *options, struct bytes local, struct bytes domain,
                 enum lookup outcome, const struct table_entry *entry)
{
	if (options->on_step != NULL)
		options->on_step(options->context, local, domain, outcome,
		                 outcome == LOOKUP_FOUND ? entry : NULL);
}

/* Ask for one key. */
static enum lookup ask(const struct table *table, const struct resolve_options *options,
                       const struct table_domain *domain, struct bytes local,
                       struct candidate_hit *hit)
{
	enum lookup outcome = table_find(table, domain, local, &hit->entry);

	tell(options, local, domain->name, outcome, &hit->entry);
	return outcome;
}

/* With and without the extension in one domain (or, with an empty name, among the bare keys). */
static enum lookup ask_both(const struct table *table, const struct resolve_options *options,
                            const struct table_domain *domain, struct bytes local,
                            struct bytes user, struct candidate_hit *hit)
{
	bool is_split = user.size > 0;
	enum lookup outcome = LOOKUP_ABSENT;

	/* Where no key has a delimiter, none can have this extension. */
	if (!is_split || (domain->flags & TABLE_DOMAIN_EXTENSIONS) != 0) {
		outcome = ask(table, options, domain, local, hit);
		hit->strips_extension = false;
	}
	if (is_split && outcome == LOOKUP_ABSENT) {
		outcome = ask(table, options, domain, user, hit);
		hit->strips_extension = true;
	}
	return outcome;
}

static enum lookup find_key(const struct table *table, const struct resolve_options *options,
                            const struct table_domain *domain, struct bytes local,
                            struct bytes user, struct candidate_hit *hit)
{
	enum lookup outcome = ask_both(table, options, domain, local, user, hit);

	if (outcome == LOOKUP_ABSENT && (domain->flags & TABLE_DOMAIN_LOCAL) != 0) {
		struct table_domain bare;

		outcome = table_find_domain(table, bytes_make("", 0), &bare);
		if (outcome == LOOKUP_FOUND)
			outcome = ask_both(table, options, &bare, local, user, hit);
	}
	if (outcome == LOOKUP_ABSENT) {
		outcome = table_find_catch_all(table, domain, &hit->entry);
		tell(options, bytes_make(NULL, 0), domain->name, outcome, &hit->entry);
		hit->is_catch_all = true;
		hit->strips_extension = false;
	}
	return outcome;
}

/* ---- patterns --------------------------------------------------------------------------- */

/* The line from which on patterns come too late: where the source of the key begins. */
static enum lookup line_of_whole_key(const struct table *table,
                                     const struct resolve_options *options,
                                     const struct candidate *candidate,
                                     struct candidate_hit *hit, uint32_t *out_line)
{
	enum lookup outcome = LOOKUP_ABSENT;

	*out_line = UINT32_MAX;
	if ((candidate->domain.flags & TABLE_DOMAIN_PROBED) != 0)
		outcome = ask(table, options, &candidate->domain, candidate->local, hit);
	hit->strips_extension = false;
	if (outcome == LOOKUP_FOUND &&
	    table_provenance_source(table, &hit->entry, out_line) != LOOKUP_FOUND)
		return LOOKUP_BROKEN;
	return outcome;
}

static enum pattern_lookup ask_patterns(const struct table *table,
                                        const struct resolve_options *options,
                                        const struct candidate *candidate, uint32_t before_line,
                                        struct arena *arena, struct candidate_hit *hit)
{
	struct buffer subject;
	struct table_entry entry;
	enum pattern_lookup outcome = PATTERN_BROKEN;

	buffer_init(&subject, ADDRESS_TEXT_MAX);
	if (address_print(&candidate->written, &subject))
		outcome = table_match(table, buffer_bytes(&subject), candidate->domain.name,
		                      before_line, arena, &entry);
	buffer_free(&subject);
	if (outcome != PATTERN_FOUND)
		return outcome;
	tell(options, candidate->local, candidate->domain.name, LOOKUP_FOUND, &entry);
	*hit = (struct candidate_hit){ .entry = entry };
	return outcome;
}

/* Keys and patterns: FOUND, BROKEN and UNSAFE end it, ABSENT goes on with the partial keys. */
static enum candidate_outcome find_whole(const struct table *table,
                                         const struct resolve_options *options,
                                         const struct candidate *candidate,
                                         struct arena *arena, struct candidate_hit *hit)
{
	uint32_t before_line;
	enum lookup whole =
		line_of_whole_key(table, options, candidate, hit, &before_line);

	if (whole == LOOKUP_BROKEN)
		return CANDIDATE_BROKEN;
	switch (ask_patterns(table, options, candidate, before_line, arena, hit)) {
	case PATTERN_FOUND:
		return CANDIDATE_FOUND;
	case PATTERN_UNSAFE:
		return CANDIDATE_UNSAFE;
	case PATTERN_BROKEN:
		return CANDIDATE_BROKEN;
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

enum candidate_outcome candidates_find(const struct table *table,
                                       const struct resolve_options *options,
                                       const struct candidate *candidate, struct arena *arena,
                                       struct candidate_hit *out_hit)
{
	struct candidate_hit hit = { .is_catch_all = false };
	struct bytes user = { .data = NULL };
	struct bytes extension;
	enum candidate_outcome whole = CANDIDATE_ABSENT;

	if (table_has_patterns(table))
		whole = find_whole(table, options, candidate, arena, &hit);
	if (whole == CANDIDATE_FOUND)
		*out_hit = hit;
	if (whole != CANDIDATE_ABSENT)
		return whole;
	if ((candidate->domain.flags & TABLE_DOMAIN_PROBED) == 0)
		return CANDIDATE_ABSENT;
	(void)address_split_extension(candidate->local, table_rules(table)->delimiters, &user,
	                              &extension);
	switch (find_key(table, options, &candidate->domain, candidate->local, user, &hit)) {
	case LOOKUP_BROKEN:
		return CANDIDATE_BROKEN;
	case LOOKUP_ABSENT:
		return CANDIDATE_ABSENT;
	case LOOKUP_FOUND:
		break;
	}
	*out_hit = hit;
	return CANDIDATE_FOUND;
}
