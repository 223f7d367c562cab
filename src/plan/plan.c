/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "plan/planner.h"
#include "plan/postfix_table.h"
#include "plan/schema.h"
#include "plan/source_name.h"
#include "settings/secret.h"
#include "sources/source.h"

enum {
	PLAN_BYTES = 64 << 20,
	CONNECT_SECONDS = 10,
	SILENT_SECONDS = 60,
	SECONDS_MAX = 86400,
	NAME_BYTES_MAX = 1 << 16,
};

static const char *const kinds[] = {
	[DATABASE_DOMAIN] = "domain",       [DATABASE_ALIAS_DOMAIN] = "alias-domain",
	[DATABASE_ALIAS] = "alias",         [DATABASE_GROUP] = "group",
	[DATABASE_CATCH_ALL] = "catch-all", [DATABASE_DOMAIN_ALIAS] = "domain-alias",
	[DATABASE_MAILBOX] = "mailbox",     [DATABASE_PATTERN] = "pattern",
};

/* NULL: none; a query of aliases may have a UNION. */
static const char *const query_members[] = {
	[DATABASE_DOMAIN] = "domain_query",       [DATABASE_ALIAS_DOMAIN] = "alias_domain_query",
	[DATABASE_ALIAS] = "alias_query",         [DATABASE_GROUP] = NULL,
	[DATABASE_CATCH_ALL] = "catch_all_query", [DATABASE_DOMAIN_ALIAS] = "domain_alias_query",
	[DATABASE_MAILBOX] = "mailbox_query",     [DATABASE_PATTERN] = "pattern_query",
};

const char *database_kind_name(enum database_kind kind)
{
	return kinds[kind];
}

/* ---- members ------------------------------------------------------------------------------ */

static bool take_seconds(const struct planner *planner, const struct settings_member *member,
			 int *out_ms)
{
	char *end;
	unsigned long long seconds;

	errno = 0;
	seconds = strtoull(member->value, &end, 10);
	if (member->value[0] < '0' || member->value[0] > '9' || *end != '\0' || errno != 0 ||
	    seconds < 1 || seconds > SECONDS_MAX)
		return planner_complain(planner, member, "is no number of seconds from 1 to 86400");
	*out_ms = (int)seconds * 1000;
	return true;
}

/* A name stands in messages, in the table and in the log, where blanks and colons divide. */
static bool take_name(const struct planner *planner, const struct settings_member *member)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	if (member->value[0] == '\0' || member->value[strspn(member->value, good)] != '\0')
		return planner_complain(planner, member, "may have letters, digits, - _ and .");
	planner->plan->name = member->value;
	return true;
}

static bool take_password_file(const struct planner *planner, const struct settings_member *member)
{
	struct database_plan *plan = planner->plan;
	struct error err;

	if (member->value[0] != '/')
		return planner_complain(planner, member, "is not an absolute path");
	plan->options.password = secret_read(member->value, &plan->arena, &err);
	if (plan->options.password != NULL)
		return true;
	report_error(planner->report, err.status, NULL, 0, "%s", err.text);
	return false;
}

/* What a table of Postfix is for, which its file doesn't say. */
static bool take_kind(struct planner *planner, const struct settings_member *member)
{
	static const enum database_kind may[] = { DATABASE_ALIAS, DATABASE_MAILBOX, DATABASE_DOMAIN,
						  DATABASE_ALIAS_DOMAIN };

	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		if (strcmp(member->value, kinds[may[i]]) != 0)
			continue;
		planner->kind = may[i];
		return true;
	}
	return planner_complain(planner, member, "is none of alias, mailbox, domain, alias-domain");
}

/* Members that need no more than to be kept; NULL: NAME is none of them. */
static const char **text_member(struct database_plan *plan, const char *name)
{
	if (plan->directory != NULL)
		return planner_directory_text(plan, name);
	if (plan->is_template)
		return strcmp(name, "keys_query") == 0 ? &plan->keys_query : NULL;
	if (strcmp(name, "connection") == 0)
		return &plan->options.connection;
	for (size_t i = 0; i < DATABASE_KINDS; i++)
		if (query_members[i] != NULL && strcmp(name, query_members[i]) == 0)
			return &plan->queries[i];
	return NULL;
}

static bool take_parameter(const struct planner *planner, const struct settings_member *member)
{
	struct error err;

	return schema_check_value(member->value, &err) ||
	       planner_complain(planner, member, err.text);
}

static bool take_member(struct planner *planner, const struct settings_member *member)
{
	struct database_plan *plan = planner->plan;
	const char **text = text_member(plan, member->name);

	if (text != NULL) {
		*text = member->value;
		return true;
	}
	if (strcmp(member->name, "name") == 0)
		return take_name(planner, member);
	if (strcmp(member->name, "timeout_seconds") == 0)
		return take_seconds(planner, member, &plan->options.timeout_ms);
	if (strcmp(member->name, "connect_timeout_seconds") == 0)
		return take_seconds(planner, member, &plan->options.connect_timeout_ms);
	if (plan->is_template && strcmp(member->name, "kind") == 0)
		return take_kind(planner, member);
	if (!plan->is_template && strcmp(member->name, "password_file") == 0)
		return take_password_file(planner, member);
	if (!plan->is_template && strcmp(member->name, "schema") == 0)
		return true; /* was opened before */
	if (planner->schema != NULL && schema_has_parameter(planner->schema, member->name))
		return take_parameter(planner, member);
	if (!plan->is_template && plan->directory != NULL &&
	    planner_take_directory_member(planner, member))
		return true;
	return planner_complain(planner, member,
				plan->is_template ? "there is no such setting beside a path"
						  : "there is no such setting of a database");
}

static bool take_members(struct planner *planner)
{
	bool is_good = true;

	for (size_t i = 0; i < planner->from->member_count; i++)
		is_good &= take_member(planner, &planner->from->members[i]);
	return is_good;
}

/* ---- its name ------------------------------------------------------------------------------ */

/* *OUT_IS_EQUAL: is OTHER called as the source that is planned? False: no memory. */
static bool compare_names(const struct planner *planner, const struct settings_source *other,
			  bool *out_is_equal)
{
	struct buffer name;
	bool is_put;

	buffer_init(&name, NAME_BYTES_MAX);
	is_put = source_name_put(other, &name);
	*out_is_equal = bytes_equal(buffer_bytes(&name), bytes_of(planner->plan->name));
	buffer_free(&name);
	return is_put || planner_fail_memory(planner);
}

/* Two of one name could not be told apart in messages and in the table. What stands on the command
 * line has no place for a name, and is none of the configured ones. */
static bool check_name(const struct planner *planner)
{
	const struct settings *settings = planner->settings;
	const struct database_plan *plan = planner->plan;

	if (planner->from->line == 0)
		return true;
	for (size_t i = 0; i < settings->source_count; i++) {
		const struct settings_source *other = &settings->sources[i];
		const struct source_type *type = source_type_find(other->type);
		bool is_equal;

		if (other == planner->from || type == NULL || strcmp(type->name, plan->type) != 0)
			continue;
		if (!compare_names(planner, other, &is_equal))
			return false;
		if (!is_equal)
			continue;
		report_error(planner->report, EX_CONFIG, planner->from->file,
			     (uint32_t)planner->from->line,
			     "sources: two are called %s:%s; give one of them another name",
			     plan->type, plan->name);
		return false;
	}
	return true;
}

/* ---- a table of Postfix ------------------------------------------------------------------- */

static bool name_after_file(const struct planner *planner)
{
	struct buffer text;
	struct bytes name;
	bool is_made;

	buffer_init(&text, NAME_BYTES_MAX);
	is_made = source_name_put(planner->from, &text) &&
		  arena_copy(&planner->plan->arena, buffer_bytes(&text), &name);
	buffer_free(&text);
	if (!is_made)
		return planner_fail_memory(planner);
	planner->plan->name = name.data;
	return true;
}

/* Sockets first, then hosts, then URIs, as Postfix has it; but in their order, not at random. */
static bool take_hosts(const struct planner *planner, const char *text)
{
	struct database_plan *plan = planner->plan;
	struct bytes rest = bytes_of(text), word;
	const char **hosts;
	size_t count = 0;

	while (postfix_table_next_word(&rest, &word))
		count++;
	hosts = arena_alloc(&plan->arena, count * sizeof(*hosts));
	if (hosts == NULL)
		return planner_fail_memory(planner);
	plan->options.hosts = hosts;
	for (int turn = 0; turn < 3; turn++) {
		rest = bytes_of(text);
		while (postfix_table_next_word(&rest, &word)) {
			bool is_socket =
				word.data[0] == '/' || bytes_begin_with(word, bytes_of("unix:"));
			bool is_uri = memmem(word.data, word.size, "://", 3) != NULL;

			if (turn != (is_uri ? 2 : is_socket ? 0 : 1))
				continue;
			hosts[plan->options.host_count] = arena_text(&plan->arena, word);
			if (hosts[plan->options.host_count] == NULL)
				return planner_fail_memory(planner);
			plan->options.host_count++;
		}
	}
	return true;
}

/* Only `no` and `yes` are words of Postfix for this. */
static bool check_choice(const struct planner *planner, const char *parameter, const char *text)
{
	return text == NULL || strcmp(text, "yes") == 0 || strcmp(text, "no") == 0 ||
	       planner_complain_table(planner, parameter, "is neither yes nor no");
}

static bool take_mysql(const struct planner *planner, const char *const *values)
{
	struct database_options *options = &planner->plan->options;

	options->encoding = values[POSTFIX_CHARSET];
	options->option_file = values[POSTFIX_OPTION_FILE];
	options->option_group =
		values[POSTFIX_OPTION_GROUP] != NULL ? values[POSTFIX_OPTION_GROUP] : "client";
	options->tls_key_file = values[POSTFIX_TLS_KEY_FILE];
	options->tls_cert_file = values[POSTFIX_TLS_CERT_FILE];
	options->tls_ca_file = values[POSTFIX_TLS_CA_FILE];
	options->tls_ca_path = values[POSTFIX_TLS_CA_PATH];
	options->tls_ciphers = values[POSTFIX_TLS_CIPHERS];
	options->tls_verify = values[POSTFIX_TLS_VERIFY_CERT];
	options->may_have_no_rows = values[POSTFIX_REQUIRE_RESULT_SET] != NULL &&
				    strcmp(values[POSTFIX_REQUIRE_RESULT_SET], "no") == 0;
	return check_choice(planner, "tls_verify_cert", options->tls_verify) &&
	       check_choice(planner, "require_result_set", values[POSTFIX_REQUIRE_RESULT_SET]);
}

static bool plan_query(struct planner *planner, const struct postfix_table *table)
{
	struct database_plan *plan = planner->plan;
	struct database_options *options = &plan->options;
	const char *const *values = table->values;
	const char *query = postfix_table_query(table, &plan->arena, planner->report);

	if (query == NULL)
		return false;
	plan->has_one_value = strcmp(plan->type, "sqlite") == 0;
	plan->queries[planner->kind] = query;
	plan->result_format = bytes_of(
		values[POSTFIX_RESULT_FORMAT] != NULL ? values[POSTFIX_RESULT_FORMAT] : "%s");
	plan->domains = bytes_of(values[POSTFIX_DOMAIN] != NULL ? values[POSTFIX_DOMAIN] : "");
	options->user = values[POSTFIX_USER];
	options->password = values[POSTFIX_PASSWORD];
	options->name = values[plan->has_one_value ? POSTFIX_DBPATH : POSTFIX_DBNAME];
	options->encoding = values[POSTFIX_ENCODING];
	if (strcmp(plan->type, "mysql") == 0 && !take_mysql(planner, values))
		return false;
	if (plan->has_one_value && options->name == NULL)
		return planner_complain_table(planner, "dbpath", "is missing");
	return planner_check_template(planner, "query", query) &&
	       planner_check_template(planner, "result_format", plan->result_format.data) &&
	       planner_take_number(planner, "expansion_limit", values[POSTFIX_EXPANSION_LIMIT],
				   &plan->expansion_limit) &&
	       planner_check_domains(planner) &&
	       take_hosts(planner,
			  values[POSTFIX_HOSTS] != NULL ? values[POSTFIX_HOSTS] : "localhost");
}

static bool plan_table(struct planner *planner)
{
	struct database_plan *plan = planner->plan;
	struct postfix_table table;

	plan->is_template = true;
	plan->path = planner->from->path;
	plan->line = 0;
	if (!name_after_file(planner) || !take_members(planner) || !check_name(planner) ||
	    !postfix_table_read(plan->path, plan->type, &plan->arena, planner->report, &table))
		return false;
	return plan->directory != NULL ? planner_plan_directory_table(planner, &table)
				       : plan_query(planner, &table);
}

/* ---- from start to end -------------------------------------------------------------------- */

static bool has_query(const struct planner *planner)
{
	struct database_plan *plan = planner->plan;
	bool has_one = false;

	for (size_t i = 0; i < DATABASE_KINDS; i++) {
		if (plan->queries[i] != NULL && plan->queries[i][0] == '\0')
			plan->queries[i] = NULL; /* none is wanted */
		has_one |= plan->queries[i] != NULL;
	}
	if (!has_one)
		report_error(planner->report, EX_CONFIG, plan->path, plan->line,
			     "sources: a database without a path needs a schema, or a query, as "
			     "alias_query");
	return has_one;
}

/* What members and the schema say, once all of them are known. */
static bool plan_all(struct planner *planner)
{
	struct database_plan *plan = planner->plan;

	if (plan->directory != NULL)
		return planner_plan_directory(planner);
	return planner_take_schema(planner, query_members, DATABASE_KINDS, plan->queries) &&
	       has_query(planner);
}

static bool plan_members(struct planner *planner)
{
	const char *name = settings_source_get(planner->from, "schema");
	struct schema schema;
	bool is_good;

	if (name == NULL)
		return take_members(planner) && check_name(planner) && plan_all(planner);
	planner->schema = &schema;
	is_good = schema_open(name, planner->plan->type, planner->from, &planner->plan->arena,
			      planner->report, &schema) &&
		  take_members(planner) && check_name(planner) && plan_all(planner);
	planner->schema = NULL;
	schema_close(&schema);
	return is_good;
}

static bool set_labels(const struct planner *planner)
{
	struct database_plan *plan = planner->plan;

	for (size_t i = 0; i < DATABASE_KINDS; i++) {
		const struct bytes parts[] = { bytes_of(plan->type), bytes_of(":"),
					       bytes_of(plan->name), bytes_of(" "),
					       bytes_of(kinds[i]) };
		struct bytes label;

		if (!arena_join(&plan->arena, parts, sizeof(parts) / sizeof(parts[0]), &label))
			return planner_fail_memory(planner);
		plan->labels[i] = label.data;
	}
	return true;
}

bool database_plan_make(const struct settings_source *from, const struct settings *settings,
			const char *type, struct report *report, struct database_plan *out_plan)
{
	struct planner planner = {
		.plan = out_plan,
		.from = from,
		.settings = settings,
		.report = report,
		.kind = DATABASE_ALIAS,
	};

	*out_plan = (struct database_plan){
		.type = type,
		.name = SOURCE_NAME_FIRST,
		.path = from->file,
		.line = (uint32_t)from->line,
		.options = { .connect_timeout_ms = CONNECT_SECONDS * 1000,
			     .timeout_ms = SILENT_SECONDS * 1000 },
	};
	arena_init(&out_plan->arena, PLAN_BYTES);
	if (strcmp(type, "ldap") == 0 && !planner_begin_directory(&planner))
		return false;
	return (from->path[0] != '\0' ? plan_table(&planner) : plan_members(&planner)) &&
	       set_labels(&planner);
}

void database_plan_free(struct database_plan *plan)
{
	arena_free(&plan->arena);
}
