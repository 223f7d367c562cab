/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "postfix_check/postfix_check_inside.h"

/* Which domains a list of patterns and maps has; one flag a domain. */
struct membership {
	bool *is_member;
	bool has_parents; /* `example.com` stands for its subdomains too */
};

static bool *new_flags(struct postfix_check *check, size_t count, struct error *err)
{
	bool *flags = arena_alloc(&check->postfix.arena, count + 1);

	if (flags == NULL)
		error_fill_memory(err);
	else
		memset(flags, 0, count + 1);
	return flags;
}

static bool is_map(struct bytes word)
{
	size_t colon = bytes_index(word, ':');

	return colon > 0 && colon < word.size && word.data[0] != '[' && word.data[0] != '/';
}

static bool ends_below(struct bytes domain, struct bytes parent)
{
	if (parent.size > 0 && parent.data[0] == '.')
		parent = bytes_skip(parent, 1);
	return domain.size > parent.size && domain.data[domain.size - parent.size - 1] == '.' &&
	       bytes_equal_ascii_nocase(bytes_skip(domain, domain.size - parent.size), parent);
}

static void mark_pattern(const struct postfix_check *check, struct bytes word, bool is_negated,
			 const struct membership *membership)
{
	for (size_t i = 0; i < check->domain_count; i++)
		if (bytes_equal_ascii_nocase(check->domains[i], word) ||
		    (membership->has_parents && ends_below(check->domains[i], word)))
			membership->is_member[i] = !is_negated;
}

static bool mark_map(struct postfix_check *check, struct bytes word, bool is_negated,
		     const struct membership *membership, struct error *err)
{
	const char **values =
		arena_alloc(&check->postfix.arena, (check->domain_count + 1) * sizeof(*values));

	if (values == NULL)
		return error_set_memory(err);
	if (!postfix_look_up(&check->postfix, word, check->domains, check->domain_count, values,
			     err))
		return false;
	for (size_t i = 0; i < check->domain_count; i++)
		if (values[i] != NULL)
			membership->is_member[i] = !is_negated;
	return true;
}

/* The first pattern that matches decides, so the last ones are marked first. */
static bool mark_members(struct postfix_check *check, struct bytes list,
			 const struct membership *membership, struct error *err)
{
	struct bytes word;
	bool is_negated;

	if (!postfix_next_word(&list, &word))
		return true;
	if (!mark_members(check, list, membership, err))
		return false;
	is_negated = word.size > 0 && word.data[0] == '!';
	if (is_negated)
		word = bytes_skip(word, 1);
	if (is_map(word))
		return mark_map(check, word, is_negated, membership, err);
	mark_pattern(check, word, is_negated, membership);
	return true;
}

/* ---- classes of domains ---------------------------------------------------------------- */

static const struct {
	const char *parameter;
	const char *what; /* happens to a domain that is in it too */
	bool has_parents;
	bool is_safety_net; /* fine where what is left comes back to us */
} other_classes[] = {
	{ "mydestination", "Postfix would take its addresses for local users", false, false },
	{ "relay_domains", "what is left unexpanded would be relayed", true, true },
	{ "virtual_mailbox_domains", "Postfix would look for mailboxes", false, false },
};

static bool check_other_classes(struct postfix_check *check, struct error *err)
{
	for (size_t i = 0; i < sizeof(other_classes) / sizeof(other_classes[0]); i++) {
		const char *parameter = other_classes[i].parameter;
		struct membership members = {
			.is_member = new_flags(check, check->domain_count, err),
			.has_parents = other_classes[i].has_parents,
		};

		if (members.is_member == NULL ||
		    !mark_members(check, bytes_of(postfix_value(&check->postfix, NULL, parameter)),
				  &members, err))
			return false;
		for (size_t j = 0; j < check->domain_count; j++)
			if (members.is_member[j] &&
			    !(other_classes[i].is_safety_net && check->has_safety_net))
				postfix_check_report(
					check, NULL, parameter,
					postfix_check_line(check, "%s = ... without " BYTES_FORMAT,
							   parameter,
							   BYTES_ARGS(check->domains[j])),
					"alias domain " BYTES_FORMAT " is in %s, too: %s",
					BYTES_ARGS(check->domains[j]), parameter,
					other_classes[i].what);
	}
	return true;
}

static bool check_own_class(struct postfix_check *check, struct error *err)
{
	struct membership members = {
		.is_member = new_flags(check, check->domain_count, err),
	};

	if (members.is_member == NULL)
		return false;
	if (!mark_members(check,
			  bytes_of(postfix_value(&check->postfix, NULL, "virtual_alias_domains")),
			  &members, err))
		return false;
	for (size_t i = 0; i < check->domain_count; i++)
		if (!members.is_member[i] && !check->has_safety_net)
			postfix_check_report(
				check, NULL, "virtual_alias_domains",
				postfix_check_line(check,
						   "virtual_alias_domains = ... " BYTES_FORMAT,
						   BYTES_ARGS(check->domains[i])),
				"alias domain " BYTES_FORMAT " is not in virtual_alias_domains",
				BYTES_ARGS(check->domains[i]));
	return true;
}

/* ---- virtual_alias_maps ---------------------------------------------------------------- */

static bool check_catch_all(struct postfix_check *check, const struct bytes *catch_alls,
			    const char *const *found)
{
	for (size_t i = 0; i < check->domain_count; i++) {
		struct bytes expected = catch_alls[i];
		const char *line = postfix_check_line(check,
						      "virtual_alias_maps = inline:{ {" BYTES_FORMAT
						      " = " BYTES_FORMAT "} }",
						      BYTES_ARGS(expected), BYTES_ARGS(expected));

		if (found[i] != NULL && bytes_equal(bytes_of(found[i]), expected))
			continue;
		if (found[i] != NULL)
			postfix_check_report(check, NULL, "virtual_alias_maps", line,
					     "virtual_alias_maps has " BYTES_FORMAT
					     " already, and leads elsewhere: %s",
					     BYTES_ARGS(expected), found[i]);
		else if (!check->has_safety_net)
			postfix_check_report(
				check, NULL, "virtual_alias_maps", line,
				"virtual_alias_maps has no " BYTES_FORMAT
				" that leads to itself: smtpd(8) would refuse every address "
				"before it asks openrcpt",
				BYTES_ARGS(expected));
	}
	return true;
}

/* Keys of ours in one of Postfix's own maps. */
static bool check_keys(struct postfix_check *check, struct bytes map, struct error *err)
{
	const char **values =
		arena_alloc(&check->postfix.arena, (check->key_count + 1) * sizeof(*values));

	if (values == NULL)
		return error_set_memory(err);
	if (!postfix_look_up(&check->postfix, map, check->keys, check->key_count, values, err))
		return false;
	for (size_t i = 0; i < check->key_count; i++) {
		if (values[i] == NULL)
			continue;
		postfix_check_report(
			check, NULL, "virtual_alias_maps",
			postfix_check_line(check, "virtual_alias_maps = ... without " BYTES_FORMAT,
					   BYTES_ARGS(map)),
			BYTES_FORMAT " expands addresses of ours, too, as " BYTES_FORMAT
				     ": before the milter, and again behind it",
			BYTES_ARGS(map), BYTES_ARGS(check->keys[i]));
		return true;
	}
	return true;
}

static bool check_maps(struct postfix_check *check, struct error *err)
{
	struct arena *arena = &check->postfix.arena;
	size_t count = check->domain_count;
	struct bytes *catch_alls = arena_alloc(arena, (count + 1) * sizeof(*catch_alls));
	const char **found = arena_alloc(arena, (count + 1) * sizeof(*found));
	const char **values = arena_alloc(arena, (count + 1) * sizeof(*values));
	struct bytes list = bytes_of(postfix_value(&check->postfix, NULL, "virtual_alias_maps"));
	struct bytes map;

	if (catch_alls == NULL || found == NULL || values == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < count; i++) {
		catch_alls[i] = bytes_of(
			postfix_check_line(check, "@" BYTES_FORMAT, BYTES_ARGS(check->domains[i])));
		found[i] = NULL;
	}
	while (postfix_next_word(&list, &map)) {
		if (!check_keys(check, map, err) ||
		    !postfix_look_up(&check->postfix, map, catch_alls, count, values, err))
			return false;
		/* The first map that has a key decides. */
		for (size_t i = 0; i < count; i++)
			if (found[i] == NULL)
				found[i] = values[i];
	}
	return check_catch_all(check, catch_alls, found);
}

bool postfix_check_domains(struct postfix_check *check, struct error *err)
{
	if (check->domain_count == 0)
		postfix_check_note(check, "alias_domains = [ \"example.com\" ];",
				   "the table has no alias domain to look for");
	return check_other_classes(check, err) && check_own_class(check, err) &&
	       check_maps(check, err);
}

/* ---- verify probes --------------------------------------------------------------------- */

static const char *const restrictions[] = {
	"smtpd_client_restrictions",      "smtpd_helo_restrictions",
	"smtpd_sender_restrictions",      "smtpd_relay_restrictions",
	"smtpd_recipient_restrictions",   "smtpd_data_restrictions",
	"smtpd_end_of_data_restrictions",
};

/* Are all our domains let through by MAP before a probe is made? */
static bool mark_permitted(struct postfix_check *check, struct bytes map, bool *permitted,
			   struct error *err)
{
	const char **values =
		arena_alloc(&check->postfix.arena, (check->domain_count + 1) * sizeof(*values));

	if (values == NULL)
		return error_set_memory(err);
	if (!postfix_look_up(&check->postfix, map, check->domains, check->domain_count, values,
			     err))
		return false;
	for (size_t i = 0; i < check->domain_count; i++)
		if (values[i] != NULL &&
		    (strcasecmp(values[i], "OK") == 0 || strcasecmp(values[i], "permit") == 0))
			permitted[i] = true;
	return true;
}

static bool check_list(struct postfix_check *check, const struct postfix_service *service,
		       const char *parameter, struct error *err)
{
	struct bytes rest = bytes_of(postfix_value(&check->postfix, service, parameter));
	bool *permitted = new_flags(check, check->domain_count, err);
	struct bytes word;

	if (permitted == NULL)
		return false;
	while (postfix_next_word(&rest, &word)) {
		if (bytes_equal(word, bytes_of("check_recipient_access"))) {
			if (postfix_next_word(&rest, &word) &&
			    !mark_permitted(check, word, permitted, err))
				return false;
			continue;
		}
		if (!bytes_equal(word, bytes_of("reject_unverified_recipient")))
			continue;
		for (size_t i = 0; i < check->domain_count; i++)
			if (!permitted[i])
				postfix_check_report(
					check, service, parameter,
					postfix_check_line(check,
							   "%s = ... check_recipient_access "
							   "inline:{" BYTES_FORMAT "=OK}, "
							   "reject_unverified_recipient ...",
							   parameter,
							   BYTES_ARGS(check->domains[i])),
					"reject_unverified_recipient probes addresses "
					"of " BYTES_FORMAT " without asking openrcpt, and refuses "
					"every alias",
					BYTES_ARGS(check->domains[i]));
	}
	return true;
}

bool postfix_check_restrictions(struct postfix_check *check, const struct postfix_service *service,
				struct error *err)
{
	for (size_t i = 0; i < sizeof(restrictions) / sizeof(restrictions[0]); i++)
		if (!check_list(check, service, restrictions[i], err))
			return false;
	return true;
}
