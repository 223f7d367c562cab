/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolve/candidates.h"

#include "mail/address.h"

static void tell(const struct resolve_options *options, struct bytes local, struct bytes domain,
                 enum lookup outcome, const struct table_entry *entry)
{
	if (options->on_step != NULL)
		options->on_step(options->context, local, domain, outcome,
		                 outcome == LOOKUP_FOUND ? entry : NULL);
}

/* With and without the extension in one domain (or, with an empty name, among the bare keys). */
static enum lookup find_user(const struct table *table, const struct resolve_options *options,
                             const struct table_domain *domain, struct bytes local,
                             struct bytes user, struct candidate_hit *hit)
{
	bool is_split = user.size > 0;
	enum lookup outcome = LOOKUP_ABSENT;

	/* Where no key has a delimiter, none can have this extension. */
	if (!is_split || (domain->flags & TABLE_DOMAIN_EXTENSIONS) != 0) {
		outcome = table_find(table, domain, local, &hit->entry);
		tell(options, local, domain->name, outcome, &hit->entry);
		hit->strips_extension = false;
	}
	if (is_split && outcome == LOOKUP_ABSENT) {
		outcome = table_find(table, domain, user, &hit->entry);
		tell(options, user, domain->name, outcome, &hit->entry);
		hit->strips_extension = true;
	}
	return outcome;
}

enum lookup candidates_find(const struct table *table, const struct resolve_options *options,
                            const struct table_domain *domain, struct bytes local,
                            struct candidate_hit *out_hit)
{
	struct candidate_hit hit = { .is_catch_all = false };
	struct bytes user = { .data = NULL };
	struct bytes extension;
	enum lookup outcome;

	(void)address_split_extension(local, table_rules(table)->delimiters, &user, &extension);
	outcome = find_user(table, options, domain, local, user, &hit);
	if (outcome == LOOKUP_ABSENT && (domain->flags & TABLE_DOMAIN_LOCAL) != 0) {
		struct table_domain bare;

		outcome = table_find_domain(table, bytes_make("", 0), &bare);
		if (outcome == LOOKUP_FOUND)
			outcome = find_user(table, options, &bare, local, user, &hit);
	}
	if (outcome == LOOKUP_ABSENT) {
		outcome = table_find_catch_all(table, domain, &hit.entry);
		tell(options, bytes_make(NULL, 0), domain->name, outcome, &hit.entry);
		hit.is_catch_all = true;
		hit.strips_extension = false;
	}
	if (outcome == LOOKUP_FOUND)
		*out_hit = hit;
	return outcome;
}
