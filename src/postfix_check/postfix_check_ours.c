/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_check_ours - the domains of ours that there are in the table.
 */
#include <sysexits.h>

#include "postfix_check/postfix_check_inside.h"

static bool is_in(const struct postfix_domains *domains, const struct table_domain *domain)
{
	/* A mailbox domain is one, whatever else it is. */
	if (domains->flag == TABLE_DOMAIN_ALIAS && (domain->flags & TABLE_DOMAIN_MAILBOX) != 0)
		return false;
	return domain->name.size > 0 && (domain->flags & domains->flag) != 0;
}

static bool add_domain(struct postfix_check *check, struct postfix_domains *domains,
		       struct bytes name, struct error *err)
{
	struct postfix_domain *domain = arena_alloc(&check->postfix.arena, sizeof(*domain));

	if (domain == NULL || !keyset_reserve(&domains->index, 1))
		return error_set_memory(err);
	*domain = (struct postfix_domain){ .entry.key = name, .number = domains->count };
	keyset_insert(&domains->index, &domain->entry);
	domains->names[domains->count++] = name;
	return true;
}

bool postfix_check_collect(struct postfix_check *check, struct postfix_domains *domains,
			   struct error *err)
{
	const struct table *table = check->options->table;
	struct table_domain domain;
	uint64_t position = 0;
	size_t count = 0;
	enum lookup found;

	while (table_next_domain(table, &position, &domain) == LOOKUP_FOUND)
		count += is_in(domains, &domain) ? 1 : 0;
	domains->names = arena_alloc(&check->postfix.arena, (count + 1) * sizeof(*domains->names));
	if (domains->names == NULL)
		return error_set_memory(err);
	keyset_init(&domains->index, &check->postfix.arena, table_seed(table));
	position = 0;
	while ((found = table_next_domain(table, &position, &domain)) == LOOKUP_FOUND)
		if (is_in(domains, &domain) && !add_domain(check, domains, domain.name, err))
			return false;
	return found != LOOKUP_BROKEN || error_set(err, EX_DATAERR, "the table is damaged");
}
