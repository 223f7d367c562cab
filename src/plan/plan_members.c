/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan_members - what is asked of a directory, from the members of a source: of each kind a filter,
 * the attributes that have the keys, and those that have the values. It becomes what the file of a
 * Postfix table would say.
 */
#include <string.h>
#include <sysexits.h>

#include "plan/plan_lists.h"
#include "plan/planner.h"

enum {
	RECURSION_LIMIT = 1000,
	FILTER_BYTES_MAX = 1 << 20,
	DIRECTORY_KINDS = DATABASE_PATTERN /* which no directory has */
};

struct directory_members {
	const char *uri;
	const char *base;
	const char *scope;
	const char *bind_dn;
	const char *start_tls;
	const char *ca_file;
	const char *filter[DIRECTORY_KINDS];
	const char *key[DIRECTORY_KINDS];
	const char *value[DIRECTORY_KINDS];
};

/* Members of one kind begin with this. */
static const char *const prefixes[] = {
	[DATABASE_DOMAIN] = "domain_",
	[DATABASE_ALIAS_DOMAIN] = "alias_domain_",
	[DATABASE_ALIAS] = "alias_",
	[DATABASE_CATCH_ALL] = "catch_all_",
	[DATABASE_DOMAIN_ALIAS] = "domain_alias_",
	[DATABASE_MAILBOX] = "mailbox_",
};

static bool has_values(enum database_kind kind)
{
	return kind == DATABASE_ALIAS || kind == DATABASE_CATCH_ALL ||
	       kind == DATABASE_DOMAIN_ALIAS;
}

bool planner_begin_directory(struct planner *planner)
{
	struct arena *arena = &planner->plan->arena;

	planner->members = arena_alloc(arena, sizeof(*planner->members));
	planner->plan->directory = arena_alloc(arena, sizeof(*planner->plan->directory));
	if (planner->members == NULL || planner->plan->directory == NULL)
		return planner_fail_memory(planner);
	*planner->members = (struct directory_members){ .scope = "sub" };
	*planner->plan->directory = (struct directory_plan){ .options = { .verifies = true } };
	return true;
}

/* The place for the member NAME; NULL: there is none. */
static const char **find_member(struct directory_members *members, const char *name)
{
	const struct {
		const char *name;
		const char **place;
	} plain[] = {
		{ "uri", &members->uri },
		{ "base", &members->base },
		{ "scope", &members->scope },
		{ "bind_dn", &members->bind_dn },
		{ "start_tls", &members->start_tls },
		{ "ca_file", &members->ca_file },
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(name, plain[i].name) == 0)
			return plain[i].place;
	for (size_t i = 0; i < DIRECTORY_KINDS; i++) {
		size_t size = strlen(prefixes[i]);
		bool has_both = has_values((enum database_kind)i);

		if (strncmp(name, prefixes[i], size) != 0)
			continue;
		if (strcmp(name + size, "filter") == 0)
			return &members->filter[i];
		if (strcmp(name + size, has_both ? "key_attribute" : "attribute") == 0)
			return &members->key[i];
		if (has_both && strcmp(name + size, "value_attribute") == 0)
			return &members->value[i];
	}
	return NULL;
}

bool planner_take_directory_member(struct planner *planner, const struct settings_member *member)
{
	const char **place = find_member(planner->members, member->name);

	if (place == NULL)
		return false;
	*place = member->value;
	return true;
}

/* ---- filters ------------------------------------------------------------------------------ */

/* FILTER as it stands in a template, in brackets. */
static void put_filter(struct buffer *out, const char *filter)
{
	bool has_brackets = filter[0] == '(';

	if (!has_brackets)
		(void)buffer_append_byte(out, '('); /* checked by the caller, as the rest */
	for (; *filter != '\0'; filter++) {
		if (*filter == '%')
			(void)buffer_append_byte(out, '%');
		(void)buffer_append_byte(out, *filter);
	}
	if (!has_brackets)
		(void)buffer_append_byte(out, ')');
}

/* As in (&FILTER(|(mail=%s)(alias=%s))). */
static void put_template(struct buffer *out, enum database_kind kind, const char *filter,
			 const char *attributes)
{
	bool is_domain = kind == DATABASE_CATCH_ALL || kind == DATABASE_DOMAIN_ALIAS;
	struct bytes rest = bytes_of(attributes), word;

	(void)buffer_append_text(out, "(&"); /* checked by the caller, as the rest */
	put_filter(out, filter);
	(void)buffer_append_text(out, "(|");
	while (postfix_table_next_word(&rest, &word)) {
		(void)buffer_append_format(out, "(" BYTES_FORMAT "=%s)", BYTES_ARGS(word),
					   is_domain ? "%d" : "%s");
		/* With its @, too. */
		if (is_domain)
			(void)buffer_append_format(out, "(" BYTES_FORMAT "=@%%d)",
						   BYTES_ARGS(word));
	}
	(void)buffer_append_text(out, "))");
}

static bool fail(const struct planner *planner, const char *prefix, const char *name)
{
	report_error(planner->report, EX_CONFIG, planner->plan->path, planner->plan->line,
		     "sources: a directory needs %s%s", prefix, name);
	return false;
}

static bool plan_kind(const struct planner *planner, enum database_kind kind)
{
	struct database_plan *plan = planner->plan;
	struct directory_members *members = planner->members;
	struct directory_query *query = &plan->directory->queries[kind];
	struct bytes template;
	struct buffer text;
	bool is_made;

	if (members->filter[kind] == NULL)
		return fail(planner, prefixes[kind], "filter");
	if (members->key[kind] == NULL)
		return fail(planner, prefixes[kind],
			    has_values(kind) ? "key_attribute" : "attribute");
	if (has_values(kind) && members->value[kind] == NULL)
		return fail(planner, prefixes[kind], "value_attribute");
	buffer_init(&text, FILTER_BYTES_MAX);
	put_template(&text, kind, members->filter[kind], members->key[kind]);
	is_made = !text.has_failed && arena_copy(&plan->arena, buffer_bytes(&text), &template);
	buffer_free(&text);
	if (!is_made)
		return planner_fail_memory(planner);
	plan->queries[kind] = template.data;
	query->base = members->base;
	query->scope =
		strcmp(members->scope, "one") == 0 ? DIRECTORY_SCOPE_ONE : DIRECTORY_SCOPE_SUB;
	query->result_format = bytes_of(kind == DATABASE_DOMAIN_ALIAS ? "@%s" : "%s");
	query->recursion_limit = RECURSION_LIMIT;
	return planner_take_lists(
		planner, query,
		(const struct planner_lists){ .ordinary = has_values(kind) ? members->value[kind]
									   : members->key[kind] });
}

/* ---- from start to end -------------------------------------------------------------------- */

/* Whoever is known by the socket needs no name. */
static void choose_login(const struct planner *planner)
{
	struct directory_options *options = &planner->plan->directory->options;

	options->user = planner->members->bind_dn;
	options->password = planner->plan->options.password;
	if (options->user != NULL)
		options->bind = DIRECTORY_BIND_SIMPLE;
	else if (strncmp(options->uris, "ldapi:", 6) == 0)
		options->bind = DIRECTORY_BIND_EXTERNAL;
	else
		options->bind = DIRECTORY_BIND_NONE;
}

bool planner_plan_directory(struct planner *planner)
{
	struct directory_members *members = planner->members;
	struct directory_options *options = &planner->plan->directory->options;
	size_t count = 0;

	if (members->uri == NULL || strstr(members->uri, "://") == NULL)
		return fail(planner, "", "uri, as ldapi:///");
	if (members->base == NULL || strchr(members->base, '%') != NULL)
		return fail(planner, "", "base, as dc=example,dc=com");
	if (strcmp(members->scope, "sub") != 0 && strcmp(members->scope, "one") != 0)
		return fail(planner, "", "a scope that is sub or one");
	options->uris = members->uri;
	options->ca_file = members->ca_file;
	options->begins_tls = members->start_tls != NULL && strcmp(members->start_tls, "true") == 0;
	options->timeout_ms = planner->plan->options.timeout_ms;
	options->connect_timeout_ms = planner->plan->options.connect_timeout_ms;
	choose_login(planner);
	for (size_t i = 0; i < DIRECTORY_KINDS; i++) {
		if (members->filter[i] == NULL && members->key[i] == NULL &&
		    members->value[i] == NULL)
			continue;
		if (!plan_kind(planner, (enum database_kind)i))
			return false;
		count++;
	}
	return count > 0 || fail(planner, "", "a path, or a filter, as alias_filter");
}
