/* SPDX-License-Identifier: BSD-2-Clause */
#include "changes/interest.h"

#include <string.h>

#include "directory/filter_shape.h"
#include "directory/search_base.h"
#include "sql/sql_tables.h"

enum { SEARCHES_MAX = DATABASE_KINDS * (FILTER_BRANCHES_MAX + 1) };

/* ---- a database --------------------------------------------------------------------------- */

static bool find_tables(struct database_plan *plan, struct interest *interest)
{
	static const char *const nothing[] = { NULL };
	bool is_mysql = strcmp(plan->type, "mysql") == 0;
	struct sql_tables tables = { 0 };

	for (size_t i = 0; i < DATABASE_KINDS; i++)
		if (plan->queries[i] != NULL &&
		    !sql_tables_add(&tables, bytes_of(plan->queries[i]), is_mysql, &plan->arena))
			return false;
	if (plan->keys_query != NULL &&
	    !sql_tables_add(&tables, bytes_of(plan->keys_query), is_mysql, &plan->arena))
		return false;
	interest->tables = tables.tables.count > 0 ? tables.tables.names : nothing;
	interest->functions = tables.functions.count > 0 ? tables.functions.names : nothing;
	if (tables.has_unknown && strcmp(plan->type, "sqlite") != 0) /* hears of all commits */
		interest->doubt =
			"not all words of a query are known here: of a table that it names "
			"behind them nothing is heard";
	return true;
}

/* ---- a directory -------------------------------------------------------------------------- */

static size_t list_size(const char *const *list)
{
	size_t count = 0;

	while (list != NULL && list[count] != NULL)
		count++;
	return count;
}

/* Those that have keys, and those that have values. NULL: no memory. */
static const char *const *attributes_of(struct arena *arena, const struct directory_query *query,
					const struct filter_branch *branch)
{
	size_t values = list_size(query->all);
	const char **list = arena_alloc(arena, (values + FILTER_KEYS_MAX + 1) * sizeof(*list));
	size_t count = 0;

	if (list == NULL)
		return NULL;
	for (; count < values; count++)
		list[count] = query->all[count];
	for (size_t i = 0; branch != NULL && i < branch->key_count; i++) {
		list[count] = arena_text(arena, branch->keys[i].attribute);
		if (list[count++] == NULL)
			return NULL;
	}
	list[count] = NULL;
	return list;
}

static bool is_same_list(const char *const *a, const char *const *b)
{
	size_t count = list_size(a);

	if (count != list_size(b))
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* Is the search at COUNT one of those before it? */
static bool is_known(const struct directory_search *searches, size_t count)
{
	const struct directory_search *last = &searches[count];

	for (size_t i = 0; i < count; i++)
		if (searches[i].scope == last->scope && strcmp(searches[i].base, last->base) == 0 &&
		    strcmp(searches[i].filter, last->filter) == 0 &&
		    is_same_list(searches[i].attributes, last->attributes))
			return true;
	return false;
}

static bool add_search(struct database_plan *plan, const struct directory_query *query,
		       const struct filter_branch *branch, struct directory_search *searches,
		       size_t *count)
{
	struct bytes base = search_base_common(bytes_of(query->base));
	bool is_narrow = branch != NULL && strchr(query->base, '%') == NULL;

	searches[*count] = (struct directory_search){
		.base = arena_text(&plan->arena, base),
		.scope = is_narrow ? query->scope : DIRECTORY_SCOPE_SUB,
		.filter = branch != NULL ? branch->filter : "(objectClass=*)",
		.attributes = attributes_of(&plan->arena, query, branch),
		.is_paged = true,
	};
	if (searches[*count].base == NULL || searches[*count].attributes == NULL)
		return false;
	*count += !is_known(searches, *count);
	return true;
}

/* Entries that are read since others name them, or that have the keys, may be anywhere: all below
 * the base count then. */
static bool add_searches(struct database_plan *plan, enum database_kind kind,
			 struct directory_search *searches, size_t *count,
			 struct interest *interest)
{
	const struct directory_query *query = &plan->directory->queries[kind];
	struct filter_shape *shape = arena_alloc(&plan->arena, sizeof(*shape));
	bool has_shape = false;
	const char *why;

	if (shape == NULL)
		return false;
	switch (filter_shape_find(bytes_of(plan->queries[kind]), &plan->arena, shape, &why)) {
	case FILTER_NO_MEMORY:
		return false;
	case FILTER_HAS_SHAPE:
		has_shape = list_size(query->special) == 0 && plan->directory->keys_filter == NULL;
		break;
	default:
		break;
	}
	if (list_size(query->special) > 0)
		interest->doubt =
			"of entries that others name, and that aren't below the base of the "
			"search, nothing is heard";
	for (size_t i = 0; has_shape && i < shape->count; i++)
		if (!add_search(plan, query, &shape->branches[i], searches, count))
			return false;
	interest->is_exact &= has_shape;
	return has_shape || add_search(plan, query, NULL, searches, count);
}

static bool find_searches(struct database_plan *plan, struct interest *interest)
{
	struct directory_search *searches =
		arena_alloc(&plan->arena, SEARCHES_MAX * sizeof(*searches));
	size_t count = 0;

	if (searches == NULL)
		return false;
	interest->is_exact = true;
	for (size_t i = 0; i < DATABASE_KINDS; i++)
		if (plan->queries[i] != NULL &&
		    !add_searches(plan, (enum database_kind)i, searches, &count, interest))
			return false;
	interest->searches = searches;
	interest->search_count = count;
	return true;
}

bool interest_find(struct database_plan *plan, struct interest *out_interest, struct error *err)
{
	struct interest interest = { .doubt = NULL };

	if (!(plan->directory != NULL ? find_searches(plan, &interest)
				      : find_tables(plan, &interest)))
		return error_set_memory(err);
	*out_interest = interest;
	return true;
}
