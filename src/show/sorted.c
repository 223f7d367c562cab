/* SPDX-License-Identifier: BSD-2-Clause */
#include "show/sorted.h"

#include <stdlib.h>
#include <sysexits.h>

struct loader {
	const struct table *table;
	struct sorted sorted;
	size_t domain_room;
	uint32_t *ranks; /* by reference of the domain: its index in domains, plus one */
	size_t rank_count;
};

static bool fail_broken(struct error *err)
{
	return error_set(err, EX_DATAERR, "the table contradicts itself");
}

static bool add_domain(struct loader *loader, const struct table_domain *domain, struct error *err)
{
	struct sorted *sorted = &loader->sorted;

	if (sorted->domain_count == loader->domain_room) {
		size_t room = loader->domain_room == 0 ? 64 : loader->domain_room * 2;
		struct table_domain *domains =
			reallocarray(sorted->domains, room, sizeof(*domains));

		if (domains == NULL)
			return error_set_memory(err);
		sorted->domains = domains;
		loader->domain_room = room;
	}
	sorted->domains[sorted->domain_count++] = *domain;
	return true;
}

static int compare_domains(const void *a, const void *b)
{
	const struct table_domain *first = a;
	const struct table_domain *second = b;

	return bytes_compare(first->name, second->name);
}

static bool load_domains(struct loader *loader, struct error *err)
{
	struct table_domain domain;
	uint64_t position = 0;
	enum lookup found;

	/* table_next_domain() leaves out the place of bare keys. */
	found = table_find_domain(loader->table, bytes_make(NULL, 0), &domain);
	if (found == LOOKUP_FOUND && !add_domain(loader, &domain, err))
		return false;
	while (found != LOOKUP_BROKEN) {
		found = table_next_domain(loader->table, &position, &domain);
		if (found == LOOKUP_ABSENT)
			break;
		if (found == LOOKUP_FOUND && !add_domain(loader, &domain, err))
			return false;
	}
	if (found == LOOKUP_BROKEN)
		return fail_broken(err);
	if (loader->sorted.domain_count > 0)
		qsort(loader->sorted.domains, loader->sorted.domain_count, sizeof(domain),
		      compare_domains);
	return true;
}

static bool rank_domains(struct loader *loader, struct error *err)
{
	const struct sorted *sorted = &loader->sorted;
	uint32_t last = 0;

	for (size_t i = 0; i < sorted->domain_count; i++)
		last = sorted->domains[i].ref > last ? sorted->domains[i].ref : last;
	loader->rank_count = (size_t)last + 1;
	loader->ranks = calloc(loader->rank_count, sizeof(*loader->ranks));
	if (loader->ranks == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < sorted->domain_count; i++)
		loader->ranks[sorted->domains[i].ref] = (uint32_t)i + 1;
	return true;
}

/* Call TAKE for each key with its domain's index. False: broken. */
static bool walk_keys(struct loader *loader,
		      void (*take)(struct sorted *sorted, size_t domain, struct bytes local))
{
	struct table_cursor cursor;
	struct table_row row;
	enum lookup found;

	table_rows_begin(loader->table, &cursor);
	while ((found = table_next_row(loader->table, &cursor, &row)) == LOOKUP_FOUND) {
		if (row.domain.ref >= loader->rank_count || loader->ranks[row.domain.ref] == 0)
			return false;
		take(&loader->sorted, loader->ranks[row.domain.ref] - 1,
		     row.is_catch_all ? bytes_make(NULL, 0) : row.local);
	}
	return found == LOOKUP_ABSENT;
}

static void count_key(struct sorted *sorted, size_t domain, struct bytes local)
{
	(void)local;
	sorted->first_keys[domain]++;
}

/* first_keys holds where the keys of each domain end: place them from the last to the first. */
static void place_key(struct sorted *sorted, size_t domain, struct bytes local)
{
	sorted->keys[--sorted->first_keys[domain]] = (struct sorted_key){
		.local = local.data,
		.size = (uint32_t)local.size,
	};
}

static int compare_keys(const void *a, const void *b)
{
	return bytes_compare(sorted_local(a), sorted_local(b));
}

static bool load_keys(struct loader *loader, struct error *err)
{
	struct sorted *sorted = &loader->sorted;
	size_t count = 0;

	sorted->first_keys = calloc(sorted->domain_count + 1, sizeof(*sorted->first_keys));
	if (sorted->first_keys == NULL)
		return error_set_memory(err);
	if (!walk_keys(loader, count_key))
		return fail_broken(err);
	for (size_t i = 0; i < sorted->domain_count; i++) {
		count += sorted->first_keys[i];
		sorted->first_keys[i] = count;
	}
	sorted->first_keys[sorted->domain_count] = count;
	sorted->keys = calloc(count > 0 ? count : 1, sizeof(*sorted->keys));
	if (sorted->keys == NULL)
		return error_set_memory(err);
	if (!walk_keys(loader, place_key))
		return fail_broken(err);
	for (size_t i = 0; i < sorted->domain_count; i++)
		qsort(sorted->keys + sorted->first_keys[i],
		      sorted->first_keys[i + 1] - sorted->first_keys[i], sizeof(*sorted->keys),
		      compare_keys);
	return true;
}

bool sorted_load(const struct table *table, struct sorted *out_sorted, struct error *err)
{
	struct loader loader = { .table = table };
	bool is_loaded =
		load_domains(&loader, err) && rank_domains(&loader, err) && load_keys(&loader, err);

	free(loader.ranks);
	if (is_loaded)
		*out_sorted = loader.sorted;
	else
		sorted_free(&loader.sorted);
	return is_loaded;
}

bool sorted_load_domains(const struct table *table, struct sorted *out_sorted, struct error *err)
{
	struct loader loader = { .table = table };
	bool is_loaded = load_domains(&loader, err);

	if (is_loaded)
		*out_sorted = loader.sorted;
	else
		sorted_free(&loader.sorted);
	return is_loaded;
}

void sorted_free(struct sorted *sorted)
{
	free(sorted->domains);
	free(sorted->keys);
	free(sorted->first_keys);
	*sorted = (struct sorted){ 0 };
}

enum lookup sorted_find(const struct table *table, const struct table_domain *domain,
			struct bytes local, struct table_entry *out_entry)
{
	enum lookup found = local.size == 0 ? table_find_catch_all(table, domain, out_entry)
					    : table_find(table, domain, local, out_entry);

	return found == LOOKUP_FOUND ? LOOKUP_FOUND : LOOKUP_BROKEN;
}
