/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan_directory - what is asked of a directory: from the file of an `ldap:` table of Postfix.
 */
#include <limits.h>
#include <string.h>
#include <sysexits.h>

#include "plan/plan_lists.h"
#include "plan/planner.h"

enum {
	SERVER_PORT = 389,
	RECURSION_LIMIT = 1000,
	SECONDS_MAX = 86400,
	DEREFERENCE_MAX = 3,
};

/* ---- words -------------------------------------------------------------------------------- */

struct word {
	const char *text;
	int meaning;
};

/* What TEXT means, one of COUNT words; nothing is changed where it is NULL. */
static bool take_word(const struct planner *planner, const char *parameter, const char *text,
		      const struct word *words, size_t count, int *out_meaning)
{
	if (text == NULL)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (!bytes_equal_ascii_nocase(bytes_of(text), bytes_of(words[i].text)))
			continue;
		*out_meaning = words[i].meaning;
		return true;
	}
	return planner_complain_table(planner, parameter, "has a value that there isn't");
}

static bool take_bool(const struct planner *planner, const char *parameter, const char *text,
		      bool *out_bool)
{
	static const struct word words[] = { { "yes", 1 }, { "no", 0 } };
	int meaning = *out_bool ? 1 : 0;
	bool is_taken = take_word(planner, parameter, text, words, 2, &meaning);

	*out_bool = meaning != 0;
	return is_taken;
}

/* ---- the server --------------------------------------------------------------------------- */

/* Hosts become URIs, as Postfix makes them. */
static bool take_hosts(const struct planner *planner, const char *text, unsigned long port)
{
	struct database_plan *plan = planner->plan;
	struct bytes rest = bytes_of(text != NULL ? text : "localhost"), word, joined;
	struct buffer uris;
	bool is_joined;

	buffer_init(&uris, 1 << 16);
	while (postfix_table_next_word(&rest, &word)) {
		bool is_uri = memmem(word.data, word.size, "://", 3) != NULL;
		bool has_port = bytes_contain(word, ':');

		if (uris.size > 0)
			(void)buffer_append_byte(&uris, ' '); /* checked below, as the rest */
		if (!is_uri)
			(void)buffer_append_text(&uris, "ldap://");
		(void)buffer_append(&uris, word);
		if (!is_uri && !has_port)
			(void)buffer_append_format(&uris, ":%lu", port);
	}
	is_joined = !uris.has_failed && arena_copy(&plan->arena, buffer_bytes(&uris), &joined);
	buffer_free(&uris);
	if (!is_joined)
		return planner_fail_memory(planner);
	plan->directory->options.uris = joined.data;
	return true;
}

static bool take_server(const struct planner *planner, const char *const *values)
{
	unsigned long port = SERVER_PORT, version = 3, seconds = 0;
	struct directory_options *options = &planner->plan->directory->options;

	if (!planner_take_number(planner, "server_port", values[POSTFIX_SERVER_PORT], &port) ||
	    !planner_take_number(planner, "version", values[POSTFIX_VERSION], &version) ||
	    !planner_take_number(planner, "timeout", values[POSTFIX_TIMEOUT], &seconds) ||
	    !take_hosts(planner, values[POSTFIX_SERVER_HOST], port))
		return false;
	if (version != 2 && version != 3)
		return planner_complain_table(planner, "version", "is neither 2 nor 3");
	if (seconds > SECONDS_MAX)
		return planner_complain_table(planner, "timeout", "is more than 86400");
	if (seconds > 0)
		options->connect_timeout_ms = (int)seconds * 1000;
	return true;
}

static bool take_tls(const struct planner *planner, const char *const *values)
{
	struct directory_options *options = &planner->plan->directory->options;

	options->verifies = false; /* as Postfix has it */
	options->ca_file = values[POSTFIX_TLS_CA_CERT_FILE];
	options->ca_folder = values[POSTFIX_TLS_CA_CERT_DIR];
	options->certificate = values[POSTFIX_TLS_CERT];
	options->key = values[POSTFIX_TLS_KEY];
	options->ciphers = values[POSTFIX_TLS_CIPHER_SUITE];
	return take_bool(planner, "start_tls", values[POSTFIX_START_TLS], &options->begins_tls) &&
	       take_bool(planner, "tls_require_cert", values[POSTFIX_TLS_REQUIRE_CERT],
			 &options->verifies);
}

static bool check_sasl(const struct planner *planner, const char *const *values)
{
	const char *text = values[POSTFIX_SASL_MECHS];
	struct bytes rest = bytes_of(text != NULL ? text : ""), word;
	unsigned long strength = 0;

	if (!planner_take_number(planner, "sasl_minssf", values[POSTFIX_SASL_MINSSF], &strength))
		return false;
	if (strength != 0)
		return planner_complain_table(planner, "sasl_minssf", "only 0 is known here");
	while (postfix_table_next_word(&rest, &word))
		if (bytes_equal_ascii_nocase(word, bytes_of("EXTERNAL")))
			return true;
	return planner_complain_table(planner, "sasl_mechs", "only EXTERNAL is known here");
}

static bool take_login(const struct planner *planner, const char *const *values)
{
	static const struct word words[] = {
		{ "yes", DIRECTORY_BIND_SIMPLE },    { "simple", DIRECTORY_BIND_SIMPLE },
		{ "no", DIRECTORY_BIND_NONE },       { "none", DIRECTORY_BIND_NONE },
		{ "sasl", DIRECTORY_BIND_EXTERNAL },
	};
	struct directory_options *options = &planner->plan->directory->options;
	int bind = DIRECTORY_BIND_SIMPLE;

	if (!take_word(planner, "bind", values[POSTFIX_BIND], words,
		       sizeof(words) / sizeof(words[0]), &bind))
		return false;
	options->bind = (enum directory_bind)bind;
	options->user = values[POSTFIX_BIND_DN];
	options->password = values[POSTFIX_BIND_PW];
	options->authorization = values[POSTFIX_SASL_AUTHZ_ID];
	/* So that whoever asks for one keeps it out of a core. */
	planner->plan->options.password = options->password;
	return bind != DIRECTORY_BIND_EXTERNAL || check_sasl(planner, values);
}

/* ---- the search --------------------------------------------------------------------------- */

static bool take_limits(const struct planner *planner, const char *const *values,
			struct directory_query *query)
{
	struct database_plan *plan = planner->plan;
	unsigned long size, dereference = 0;
	bool chases = false;

	if (!planner_take_number(planner, "expansion_limit", values[POSTFIX_EXPANSION_LIMIT],
				 &plan->expansion_limit))
		return false;
	size = plan->expansion_limit;
	query->recursion_limit = RECURSION_LIMIT;
	if (!planner_take_number(planner, "size_limit", values[POSTFIX_SIZE_LIMIT], &size) ||
	    !planner_take_number(planner, "recursion_limit", values[POSTFIX_RECURSION_LIMIT],
				 &query->recursion_limit) ||
	    !planner_take_number(planner, "dereference", values[POSTFIX_DEREFERENCE],
				 &dereference) ||
	    !take_bool(planner, "chase_referrals", values[POSTFIX_CHASE_REFERRALS], &chases))
		return false;
	if (size > INT_MAX)
		return planner_complain_table(planner, "size_limit", "is too large");
	if (query->recursion_limit < 1 || query->recursion_limit > RECURSION_LIMIT)
		return planner_complain_table(planner, "recursion_limit", "is not 1 to 1000");
	if (dereference > DEREFERENCE_MAX)
		return planner_complain_table(planner, "dereference", "is not 0 to 3");
	if (chases)
		return planner_complain_table(planner, "chase_referrals",
					      "other servers are not asked here");
	query->size_limit = (int)size;
	plan->directory->options.dereference = (unsigned)dereference;
	return true;
}

/* The domain of a key is the same however it is written; a user in a name is not. */
static bool check_base(const struct planner *planner, const char *base)
{
	if (base == NULL)
		return planner_complain_table(planner, "search_base", "is missing");
	for (const char *at = strchr(base, '%'); at != NULL; at = strchr(at + 2, '%')) {
		if (at[1] == '\0' || strchr("dD123456789", at[1]) == NULL)
			return planner_complain_table(
				planner, "search_base",
				"of the key only the domain is known here: %d, %D, %1 to %9");
	}
	return true;
}

static bool take_search(const struct planner *planner, const char *const *values,
			struct directory_query *query)
{
	static const struct word scopes[] = { { "sub", DIRECTORY_SCOPE_SUB },
					      { "one", DIRECTORY_SCOPE_ONE },
					      { "base", DIRECTORY_SCOPE_BASE } };
	const char *format = values[POSTFIX_RESULT_FORMAT];
	int scope = DIRECTORY_SCOPE_SUB;

	if (format == NULL)
		format = values[POSTFIX_RESULT_FILTER]; /* its name before */
	query->result_format = bytes_of(format != NULL ? format : "%s");
	query->base = values[POSTFIX_SEARCH_BASE];
	if (!check_base(planner, query->base) ||
	    !take_word(planner, "scope", values[POSTFIX_SCOPE], scopes, 3, &scope))
		return false;
	query->scope = (enum directory_scope)scope;
	return planner_check_template(planner, "result_format", query->result_format.data) &&
	       planner_take_lists(planner, query,
				  (const struct planner_lists){
					  .ordinary = values[POSTFIX_RESULT_ATTRIBUTE],
					  .special = values[POSTFIX_SPECIAL_RESULT_ATTRIBUTE],
					  .terminal = values[POSTFIX_TERMINAL_RESULT_ATTRIBUTE],
					  .leaf = values[POSTFIX_LEAF_RESULT_ATTRIBUTE],
				  });
}

const char **planner_directory_text(struct database_plan *plan, const char *name)
{
	if (plan->is_template && strcmp(name, "keys_filter") == 0)
		return &plan->directory->keys_filter;
	if (plan->is_template && strcmp(name, "keys_attribute") == 0)
		return &plan->directory->keys_attribute;
	return NULL;
}

static bool take_keys(const struct planner *planner)
{
	struct directory_plan *plan = planner->plan->directory;
	struct directory_query lists;

	if (plan->keys_filter == NULL && plan->keys_attribute == NULL)
		return true;
	if (plan->keys_filter == NULL || plan->keys_attribute == NULL)
		return planner_complain_table(
			planner, plan->keys_filter == NULL ? "keys_attribute" : "keys_filter",
			"keys_filter and keys_attribute belong together");
	if (!planner_take_lists(planner, &lists,
				(const struct planner_lists){ .ordinary = plan->keys_attribute }))
		return false;
	plan->keys = lists.ordinary;
	return true;
}

bool planner_plan_directory_table(struct planner *planner, const struct postfix_table *table)
{
	struct database_plan *plan = planner->plan;
	const char *const *values = table->values;
	struct directory_query *query = &plan->directory->queries[planner->kind];
	const char *filter = values[POSTFIX_QUERY_FILTER];

	if (filter == NULL)
		filter = "(mailacceptinggeneralid=%s)"; /* as Postfix has it */
	plan->queries[planner->kind] = filter;
	plan->domains = bytes_of(values[POSTFIX_DOMAIN] != NULL ? values[POSTFIX_DOMAIN] : "");
	plan->directory->options.timeout_ms = plan->options.timeout_ms;
	plan->directory->options.connect_timeout_ms = plan->options.connect_timeout_ms;
	return planner_check_template(planner, "query_filter", filter) &&
	       planner_check_domains(planner) && take_server(planner, values) &&
	       take_tls(planner, values) && take_login(planner, values) &&
	       take_limits(planner, values, query) && take_search(planner, values, query) &&
	       take_keys(planner);
}
