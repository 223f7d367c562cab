/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sysexits.h>

#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

/* A user that nobody has, to ask maps that know every user. */
#define NOBODY "openrcpt-check"

/* What virtual_alias_maps says of every address of a domain. */
enum catch_all { CATCH_NOTHING, CATCH_SAME, CATCH_OTHER, CATCH_UNKNOWN };

struct catch_alls {
	enum catch_all *kinds;
	const char **leads_to; /* with CATCH_OTHER */
};

/* Ask MAP for the key that FORMAT makes of each domain. */
static bool ask_domains(struct postfix_check *check, const char *parameter, struct bytes map,
			const struct postfix_domains *domains, const char *user,
			struct bytes *out_keys, const char **out_values, bool *out_is_known,
			struct error *err)
{
	for (size_t i = 0; i < domains->count; i++)
		out_keys[i] = bytes_of(postfix_check_line(check, "%s@" BYTES_FORMAT, user,
							  BYTES_ARGS(domains->names[i])));
	return postfix_check_ask(check, NULL, parameter, map, out_keys, domains->count,
				 &check->postfix.arena, out_values, out_is_known, err);
}

static bool is_same(const char *value, struct bytes key)
{
	return bytes_equal_ascii_nocase(postfix_trim(bytes_of(value)), key);
}

/* The first map that has a key decides. Maps of patterns are asked for whole addresses only, so a
 * user is asked for, too. */
static bool find_catch_alls(struct postfix_check *check, const struct postfix_domains *domains,
			    struct catch_alls *out, struct error *err)
{
	static const char *const users[] = { NOBODY, "" };
	struct arena *arena = &check->postfix.arena;
	size_t count = domains->count;
	struct bytes *keys = arena_alloc(arena, (count + 1) * sizeof(*keys));
	const char **values = arena_alloc(arena, (count + 1) * sizeof(*values));
	struct bytes map;

	out->kinds = arena_alloc(arena, (count + 1) * sizeof(*out->kinds));
	out->leads_to = arena_alloc(arena, (count + 1) * sizeof(*out->leads_to));
	if (keys == NULL || values == NULL || out->kinds == NULL || out->leads_to == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++)
		out->kinds[i] = CATCH_NOTHING;
	for (size_t user = 0; count > 0 && user < sizeof(users) / sizeof(users[0]); user++) {
		struct bytes list =
			bytes_of(postfix_value(&check->postfix, NULL, "virtual_alias_maps"));

		while (postfix_next_word(&list, &map)) {
			bool is_known;

			if (!ask_domains(check, "virtual_alias_maps", map, domains, users[user],
					 keys, values, &is_known, err))
				return false;
			for (size_t i = 0; i < count; i++) {
				if (out->kinds[i] != CATCH_NOTHING || (is_known && !values[i]))
					continue;
				out->kinds[i] = !is_known                     ? CATCH_UNKNOWN
						: is_same(values[i], keys[i]) ? CATCH_SAME
									      : CATCH_OTHER;
				out->leads_to[i] = values[i];
			}
		}
	}
	return true;
}

/* ---- the line to change --------------------------------------------------------------- */

/* The command that maps each flagged domain to itself, before the maps that are there, or behind.
 */
static const char *command(struct postfix_check *check, const struct postfix_domains *domains,
			   const bool *flagged, bool is_first)
{
	const char *raw = postfix_raw(&check->postfix, NULL, "virtual_alias_maps");
	/* The default names a parameter that nobody sets. */
	bool has_old = raw[0] != '\0' &&
		       (strcmp(raw, "$virtual_maps") != 0 ||
			postfix_value(&check->postfix, NULL, "virtual_alias_maps")[0] != '\0');
	const char *before;
	const char *map = postfix_check_map(check, domains, flagged, "@%1=@%1",
					    domains->flag == TABLE_DOMAIN_ALIAS
						    ? "openrcpt-identity"
						    : "openrcpt-identity-mailboxes",
					    &before);
	const char *value = map;

	if (has_old)
		value = postfix_check_line(check, "%s, %s", is_first ? map : raw,
					   is_first ? raw : map);
	return postfix_check_line(check, "%s%s", before,
				  postfix_check_set(check, NULL, "virtual_alias_maps", value));
}

static void report_missing(struct postfix_check *check, const struct postfix_domains *domains,
			   const bool *flagged, const char *why)
{
	if (postfix_check_count(domains, flagged) > 0)
		postfix_check_report(
			check, NULL, "virtual_alias_maps", command(check, domains, flagged, false),
			"virtual_alias_maps doesn't map %s to itself%s: smtpd(8) would refuse "
			"addresses before it asks openrcpt",
			postfix_check_names(check, domains, flagged), why);
}

static bool report_other(struct postfix_check *check, const struct postfix_domains *domains,
			 const struct catch_alls *found, struct error *err)
{
	bool *flagged = postfix_check_flags(check, domains, err);
	size_t first = domains->count;

	if (flagged == NULL)
		return false;
	for (size_t i = domains->count; i-- > 0;)
		if (found->kinds[i] == CATCH_OTHER) {
			flagged[i] = true;
			first = i;
		}
	if (first < domains->count)
		postfix_check_report(
			check, NULL, "virtual_alias_maps", command(check, domains, flagged, true),
			"virtual_alias_maps leads every address of %s elsewhere: %s",
			postfix_check_names(check, domains, flagged), found->leads_to[first]);
	return true;
}

/* ---- keys of the table ------------------------------------------------------------------ */

/* Keys that are asked for together. */
struct batch {
	struct arena arena;
	struct bytes keys[POSTFIX_CHECK_BATCH];
	size_t owners[POSTFIX_CHECK_BATCH]; /* the numbers of their domains */
	const char *values[POSTFIX_CHECK_BATCH];
	size_t count;
	struct table_cursor cursor;
	bool is_at_end;
};

enum { BATCH_BYTES = 256 * 1024 * 1024 };

static struct batch *batch_new(struct postfix_check *check, struct error *err)
{
	struct batch *batch = arena_alloc(&check->postfix.arena, sizeof(*batch));

	if (batch == NULL) {
		error_fill_memory(err);
		return NULL;
	}
	arena_init(&batch->arena, BATCH_BYTES);
	batch->is_at_end = false;
	table_rows_begin(check->options->table, &batch->cursor);
	return batch;
}

static bool add_key(struct batch *batch, const struct table_row *row, size_t owner)
{
	const struct bytes parts[] = { row->local, bytes_of("@"), row->domain.name };

	if (!arena_join(&batch->arena, parts, 3, &batch->keys[batch->count]))
		return false;
	batch->owners[batch->count++] = owner;
	return true;
}

/* The next keys of DOMAINS, as many as there is room for. What postmap can't be asked for in a line
 * is left out: Postfix's tables have no such keys, either. */
static bool batch_next(struct postfix_check *check, const struct postfix_domains *domains,
		       struct batch *batch, struct error *err)
{
	enum lookup found = LOOKUP_FOUND;
	struct table_row row;
	size_t owner;

	arena_clear(&batch->arena);
	batch->count = 0;
	while (batch->count < POSTFIX_CHECK_BATCH &&
	       (found = table_next_row(check->options->table, &batch->cursor, &row)) ==
		       LOOKUP_FOUND) {
		if (row.is_catch_all || !bytes_are_ascii(row.local) ||
		    bytes_contain(row.local, ' ') || bytes_contain(row.local, '\n') ||
		    bytes_contain(row.local, '\t') ||
		    !postfix_check_find(domains, row.domain.name, &owner))
			continue;
		if (!add_key(batch, &row, owner))
			return error_set_memory(err);
	}
	batch->is_at_end = found != LOOKUP_FOUND;
	return found != LOOKUP_BROKEN || error_set(err, EX_DATAERR, "the table is damaged");
}

/* ---- a map of Postfix's own that expands ours ------------------------------------------- */

static void report_expanded(struct postfix_check *check, struct bytes map, struct bytes key)
{
	struct buffer others;

	buffer_init(&others, BATCH_BYTES);
	postfix_list_without(
		&others, bytes_of(postfix_raw(&check->postfix, NULL, "virtual_alias_maps")), map);
	/* Where it isn't a word of its own there, $names have to go. */
	if (buffer_bytes(&others).size >=
	    strlen(postfix_raw(&check->postfix, NULL, "virtual_alias_maps"))) {
		buffer_clear(&others);
		postfix_list_without(
			&others,
			bytes_of(postfix_value(&check->postfix, NULL, "virtual_alias_maps")), map);
	}
	postfix_check_report(check, NULL, "virtual_alias_maps",
			     postfix_check_set(check, NULL, "virtual_alias_maps",
					       postfix_check_keep(check, &others)),
			     BYTES_FORMAT " expands addresses of ours, too, as " BYTES_FORMAT
					  ": before the milter, and again behind it",
			     BYTES_ARGS(map), BYTES_ARGS(key));
}

static bool check_expanded_map(struct postfix_check *check, const struct postfix_domains *domains,
			       struct bytes map, struct batch *batch, struct error *err)
{
	batch->is_at_end = false;
	table_rows_begin(check->options->table, &batch->cursor);
	while (!batch->is_at_end) {
		bool is_known;

		if (!batch_next(check, domains, batch, err) ||
		    !postfix_check_ask(check, NULL, "virtual_alias_maps", map, batch->keys,
				       batch->count, &batch->arena, batch->values, &is_known, err))
			return false;
		if (!is_known)
			return true;
		for (size_t i = 0; i < batch->count; i++)
			if (batch->values[i] != NULL &&
			    !is_same(batch->values[i], batch->keys[i])) {
				report_expanded(check, map, batch->keys[i]);
				return true;
			}
	}
	return true;
}

bool postfix_check_expanded_maps(struct postfix_check *check, struct error *err)
{
	struct bytes list = bytes_of(postfix_value(&check->postfix, NULL, "virtual_alias_maps"));
	struct batch *batch = batch_new(check, err);
	struct bytes map;
	bool is_done = batch != NULL;

	while (is_done && postfix_next_word(&list, &map))
		is_done = check_expanded_map(check, &check->alias, map, batch, err) &&
			  check_expanded_map(check, &check->mailbox, map, batch, err);
	if (batch != NULL)
		arena_free(&batch->arena);
	return is_done;
}

/* ---- recipients of a class --------------------------------------------------------------- */

/* Does one of the maps that PARAMETER is have `@domain`? Marks those domains in OUT_ACCEPTED; all,
 * where there is no map, or one can't tell. */
static bool accept_domains(struct postfix_check *check, const char *parameter,
			   const struct postfix_domains *domains, bool *out_accepted,
			   struct error *err)
{
	struct bytes list = bytes_of(postfix_value(&check->postfix, NULL, parameter));
	struct arena *arena = &check->postfix.arena;
	struct bytes *keys = arena_alloc(arena, (domains->count + 1) * sizeof(*keys));
	const char **values = arena_alloc(arena, (domains->count + 1) * sizeof(*values));
	bool is_all = postfix_trim(list).size == 0;
	struct bytes map;

	if (keys == NULL || values == NULL)
		return error_set_memory(err);
	while (postfix_next_word(&list, &map)) {
		bool is_known;

		if (!ask_domains(check, parameter, map, domains, "", keys, values, &is_known, err))
			return false;
		is_all |= !is_known;
		for (size_t i = 0; i < domains->count; i++)
			out_accepted[i] |= is_known && values[i] != NULL;
	}
	for (size_t i = 0; i < domains->count && is_all; i++)
		out_accepted[i] = true;
	return true;
}

/* Are all keys of a domain in one of the maps? Clears OUT_ALL of those that aren't. */
static bool find_keys(struct postfix_check *check, const char *parameter,
		      const struct postfix_domains *domains, struct batch *batch, bool *is_found,
		      bool *out_all, struct error *err)
{
	struct bytes list = bytes_of(postfix_value(&check->postfix, NULL, parameter));
	struct bytes map;

	memset(is_found, 0, POSTFIX_CHECK_BATCH);
	if (!batch_next(check, domains, batch, err))
		return false;
	while (postfix_next_word(&list, &map)) {
		bool is_known;

		if (!postfix_check_ask(check, NULL, parameter, map, batch->keys, batch->count,
				       &batch->arena, batch->values, &is_known, err))
			return false;
		for (size_t i = 0; i < batch->count; i++)
			is_found[i] |= !is_known || batch->values[i] != NULL;
	}
	for (size_t i = 0; i < batch->count; i++)
		out_all[batch->owners[i]] &= is_found[i];
	return true;
}

static bool accept_keys(struct postfix_check *check, const char *parameter,
			const struct postfix_domains *domains, bool *out_accepted,
			struct error *err)
{
	struct batch *batch = batch_new(check, err);
	bool *all = postfix_check_flags(check, domains, err);
	bool *is_found = arena_alloc(&check->postfix.arena, POSTFIX_CHECK_BATCH);
	bool is_done = batch != NULL && all != NULL && is_found != NULL;

	if (is_done)
		memset(all, true, domains->count);
	else
		error_fill_memory(err);
	while (is_done && !batch->is_at_end)
		is_done = find_keys(check, parameter, domains, batch, is_found, all, err);
	for (size_t i = 0; is_done && i < domains->count; i++)
		out_accepted[i] |= all[i];
	if (batch != NULL)
		arena_free(&batch->arena);
	return is_done;
}

/* Which of DOMAINS are open for smtpd by PARAMETER, without any help of virtual_alias_maps. */
static bool *find_accepted(struct postfix_check *check, const char *parameter,
			   const struct postfix_domains *domains, struct error *err)
{
	bool *accepted = postfix_check_flags(check, domains, err);

	if (accepted == NULL || !accept_domains(check, parameter, domains, accepted, err))
		return NULL;
	if (postfix_check_count(domains, accepted) < domains->count &&
	    !accept_keys(check, parameter, domains, accepted, err))
		return NULL;
	return accepted;
}

bool postfix_check_alias_maps(struct postfix_check *check, const bool *is_relayed,
			      struct error *err)
{
	const struct postfix_domains *domains = &check->alias;
	bool *accepted = postfix_check_flags(check, domains, err);
	bool *flagged = postfix_check_flags(check, domains, err);
	struct catch_alls found;

	if (accepted == NULL || flagged == NULL || !find_catch_alls(check, domains, &found, err))
		return false;
	if (postfix_check_count(domains, is_relayed) > 0)
		accepted = find_accepted(check, "relay_recipient_maps", domains, err);
	if (accepted == NULL || !report_other(check, domains, &found, err))
		return false;
	for (size_t i = 0; i < domains->count; i++)
		flagged[i] = found.kinds[i] == CATCH_NOTHING && is_relayed[i] && !accepted[i];
	report_missing(check, domains, flagged, ", and relay_recipient_maps doesn't have them all");
	for (size_t i = 0; i < domains->count; i++)
		flagged[i] = found.kinds[i] == CATCH_NOTHING && !is_relayed[i];
	report_missing(check, domains, flagged, "");
	return true;
}

bool postfix_check_mailbox_maps(struct postfix_check *check, const char *const *other_maps,
				struct error *err)
{
	static const char *const parameters[] = { "virtual_mailbox_maps", "relay_recipient_maps",
						  "local_recipient_maps" };
	const struct postfix_domains *domains = &check->mailbox;
	bool *flagged = postfix_check_flags(check, domains, err);
	struct catch_alls found;

	if (flagged == NULL || !find_catch_alls(check, domains, &found, err) ||
	    !report_other(check, domains, &found, err))
		return false;
	for (size_t p = 0; p < sizeof(parameters) / sizeof(parameters[0]); p++) {
		bool *accepted = NULL;

		for (size_t i = 0; i < domains->count; i++)
			flagged[i] = found.kinds[i] == CATCH_NOTHING && other_maps[i] != NULL &&
				     strcmp(other_maps[i], parameters[p]) == 0;
		if (postfix_check_count(domains, flagged) > 0) {
			accepted = find_accepted(check, parameters[p], domains, err);
			if (accepted == NULL)
				return false;
		}
		for (size_t i = 0; accepted != NULL && i < domains->count; i++)
			flagged[i] &= !accepted[i];
		report_missing(check, domains, flagged,
			       postfix_check_line(check,
						  ", and %s doesn't have all of its "
						  "addresses",
						  parameters[p]));
	}
	return true;
}
