/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan_members - what is asked of a directory, from the members of a source, or from a schema: of
 * each kind a filter, the attributes that have the keys, and those that have the values. It becomes
 * what the file of a Postfix table would say.
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

enum part { PART_FILTER, PART_KEY, PART_VALUE, PARTS };

struct directory_members {
	const char *uri;
	const char *base;
	const char *scope;
	const char *bind_dn;
	const char *start_tls;
	const char *ca_file;
	const char *texts[DIRECTORY_KINDS][PARTS];
};

/* What of each kind there may be; those without a value are lists of their keys. */
static const char *const names[DIRECTORY_KINDS][PARTS] = {
	[DATABASE_DOMAIN] = { "domain_filter", "domain_attribute" },
	[DATABASE_ALIAS_DOMAIN] = { "alias_domain_filter", "alias_domain_attribute" },
	[DATABASE_ALIAS] = { "alias_filter", "alias_key_attribute", "alias_value_attribute" },
	[DATABASE_GROUP] = { "group_filter", "group_key_attribute", "group_value_attribute" },
	[DATABASE_CATCH_ALL] = { "catch_all_filter", "catch_all_key_attribute",
				 "catch_all_value_attribute" },
	[DATABASE_DOMAIN_ALIAS] = { "domain_alias_filter", "domain_alias_key_attribute",
				    "domain_alias_value_attribute" },
	[DATABASE_MAILBOX] = { "mailbox_filter", "mailbox_attribute" },
};

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
	for (size_t i = 0; i < DIRECTORY_KINDS; i++)
		for (size_t part = 0; part < PARTS; part++)
			if (names[i][part] != NULL && strcmp(name, names[i][part]) == 0)
				return &members->texts[i][part];
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

/* TEXT as it stands in a template, in brackets. */
static void put_filter(struct buffer *out, const char *text)
{
	struct bytes filter = bytes_trim(bytes_of(text));
	bool has_brackets = filter.size > 0 && filter.data[0] == '(';

	if (!has_brackets)
		(void)buffer_append_byte(out, '('); /* checked by the caller, as the rest */
	for (size_t i = 0; i < filter.size; i++) {
		if (filter.data[i] == '%')
			(void)buffer_append_byte(out, '%');
		(void)buffer_append_byte(out, filter.data[i]);
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

static bool fail(const struct planner *planner, const char *name)
{
	report_error(planner->report, EX_CONFIG, planner->plan->path, planner->plan->line,
		     "sources: a directory needs %s", name);
	return false;
}

static bool make_template(const struct planner *planner, enum database_kind kind,
			  const char *const *texts)
{
	struct database_plan *plan = planner->plan;
	struct bytes template;
	struct buffer text;
	bool is_made;

	buffer_init(&text, FILTER_BYTES_MAX);
	put_template(&text, kind, texts[PART_FILTER], texts[PART_KEY]);
	is_made = !text.has_failed && arena_copy(&plan->arena, buffer_bytes(&text), &template);
	buffer_free(&text);
	if (!is_made)
		return planner_fail_memory(planner);
	plan->queries[kind] = template.data;
	return true;
}

/* Without an attribute for the keys a filter with a % in it is one for one key. */
static bool is_template(const char *const *texts)
{
	return texts[PART_FILTER] != NULL && texts[PART_KEY] == NULL &&
	       strchr(texts[PART_FILTER], '%') != NULL;
}

static bool check_parts(const struct planner *planner, enum database_kind kind,
			const char *const *texts)
{
	for (size_t part = 0; part < PARTS; part++)
		if (names[kind][part] != NULL && texts[part] == NULL &&
		    (part != PART_KEY || !is_template(texts)))
			return fail(planner, names[kind][part]);
	return true;
}

/* The library takes no blanks around a filter, which one of several lines may have. */
static bool plan_filter(const struct planner *planner, enum database_kind kind,
			const char *const *texts)
{
	if (!is_template(texts))
		return make_template(planner, kind, texts);
	planner->plan->queries[kind] =
		arena_text(&planner->plan->arena, bytes_trim(bytes_of(texts[PART_FILTER])));
	if (planner->plan->queries[kind] == NULL)
		return planner_fail_memory(planner);
	return planner_check_template(planner, names[kind][PART_FILTER], texts[PART_FILTER]);
}

/* What is read of an entry that is found; of a list its keys, or what each entry has. */
static const char *values_of(enum database_kind kind, const char *const *texts)
{
	if (names[kind][PART_VALUE] != NULL)
		return texts[PART_VALUE];
	return texts[PART_KEY] != NULL ? texts[PART_KEY] : "objectClass";
}

static bool plan_kind(const struct planner *planner, enum database_kind kind)
{
	const struct directory_members *members = planner->members;
	const char *const *texts = members->texts[kind];
	struct directory_query *query = &planner->plan->directory->queries[kind];

	if (!check_parts(planner, kind, texts) || !plan_filter(planner, kind, texts))
		return false;
	query->base = members->base;
	query->scope =
		strcmp(members->scope, "one") == 0 ? DIRECTORY_SCOPE_ONE : DIRECTORY_SCOPE_SUB;
	query->result_format = bytes_of(kind == DATABASE_DOMAIN_ALIAS ? "@%s" : "%s");
	query->recursion_limit = RECURSION_LIMIT;
	query->is_list = names[kind][PART_VALUE] == NULL;
	return planner_take_lists(
		planner, query, (const struct planner_lists){ .ordinary = values_of(kind, texts) });
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

/* What the source has nothing of its own for; a filter and its keys belong together. */
static bool take_schema(const struct planner *planner)
{
	const char *texts[DIRECTORY_KINDS][PARTS] = { 0 };

	if (!planner_take_schema(planner, &names[0][0], DIRECTORY_KINDS * (size_t)PARTS,
				 &texts[0][0]))
		return false;
	for (size_t i = 0; i < DIRECTORY_KINDS; i++) {
		const char **own = planner->members->texts[i];

		if (own[PART_FILTER] == NULL && own[PART_KEY] == NULL) {
			own[PART_FILTER] = texts[i][PART_FILTER];
			own[PART_KEY] = texts[i][PART_KEY];
		}
		if (own[PART_VALUE] == NULL)
			own[PART_VALUE] = texts[i][PART_VALUE];
	}
	return true;
}

/* Is there anything of a kind with these TEXTS? An empty filter leaves it out. */
static bool is_wanted(const char *const *texts)
{
	if (texts[PART_FILTER] != NULL)
		return texts[PART_FILTER][0] != '\0';
	return texts[PART_KEY] != NULL || texts[PART_VALUE] != NULL;
}

bool planner_plan_directory(struct planner *planner)
{
	struct directory_members *members = planner->members;
	struct directory_options *options = &planner->plan->directory->options;
	size_t count = 0;

	if (members->uri == NULL || strstr(members->uri, "://") == NULL)
		return fail(planner, "uri, as ldapi:///");
	if (members->base == NULL || strchr(members->base, '%') != NULL)
		return fail(planner, "base, as dc=example,dc=com");
	if (strcmp(members->scope, "sub") != 0 && strcmp(members->scope, "one") != 0)
		return fail(planner, "a scope that is sub or one");
	options->uris = members->uri;
	options->ca_file = members->ca_file;
	options->begins_tls = members->start_tls != NULL && strcmp(members->start_tls, "true") == 0;
	options->timeout_ms = planner->plan->options.timeout_ms;
	options->connect_timeout_ms = planner->plan->options.connect_timeout_ms;
	choose_login(planner);
	if (!take_schema(planner))
		return false;
	for (size_t i = 0; i < DIRECTORY_KINDS; i++) {
		if (!is_wanted(members->texts[i]))
			continue;
		if (!plan_kind(planner, (enum database_kind)i))
			return false;
		count++;
	}
	return count > 0 || fail(planner, "a path, a schema, or a filter, as alias_filter");
}
