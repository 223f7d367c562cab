/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

enum { LIST_BYTES = 256 * 1024 * 1024 };

/* Postfix's classes of domains. */
enum class { CLASS_LOCAL, CLASS_ALIAS, CLASS_MAILBOX, CLASS_RELAY, CLASSES };

static const char *const class_names[CLASSES] = {
	[CLASS_LOCAL] = "mydestination",
	[CLASS_ALIAS] = "virtual_alias_domains",
	[CLASS_MAILBOX] = "virtual_mailbox_domains",
	[CLASS_RELAY] = "relay_domains",
};

/* What happens to an alias domain that is there, too. */
static const char *const consequences[CLASSES] = {
	[CLASS_LOCAL] = "Postfix would take its addresses for local users",
	[CLASS_ALIAS] = "what is left unexpanded would bounce, and not come back",
	[CLASS_MAILBOX] = "Postfix would look for mailboxes",
	[CLASS_RELAY] = "what is left unexpanded would be relayed",
};

/* The recipients that each has, besides virtual_alias_maps. */
static const char *const recipient_maps[CLASSES] = {
	[CLASS_LOCAL] = "local_recipient_maps",
	[CLASS_MAILBOX] = "virtual_mailbox_maps",
	[CLASS_RELAY] = "relay_recipient_maps",
};

/* Who of ours is where. */
struct membership {
	const struct postfix_domains *domains;
	enum postfix_member *in[CLASSES];
	bool *flagged; /* those that the next report is about */
};

static bool find_members(struct postfix_check *check, const struct postfix_domains *domains,
			 struct membership *out_membership, struct error *err)
{
	out_membership->domains = domains;
	out_membership->flagged = postfix_check_flags(check, domains, err);
	if (out_membership->flagged == NULL)
		return false;
	for (size_t i = 0; i < CLASSES; i++) {
		out_membership->in[i] = postfix_check_members(check, class_names[i], domains, err);
		if (out_membership->in[i] == NULL)
			return false;
	}
	return true;
}

static bool is_in(const struct membership *membership, enum class class, size_t number)
{
	return membership->in[class][number] == POSTFIX_IN;
}

static bool is_out(const struct membership *membership, enum class class, size_t number)
{
	return membership->in[class][number] == POSTFIX_OUT;
}

/* ---- the line to change --------------------------------------------------------------- */

static void append_word(struct buffer *list, const char *before, struct bytes word)
{
	if (list->size > 0)
		(void)buffer_append_text(list, ", "); /* all are marked */
	(void)buffer_append_text(list, before);
	(void)buffer_append(list, word);
}

/* The command that adds the flagged domains to a class. */
static const char *command_with(struct postfix_check *check, const struct membership *membership,
				enum class class)
{
	const struct postfix_domains *domains = membership->domains;
	const char *raw = postfix_raw(&check->postfix, NULL, class_names[class]);
	const char *before = "";
	struct buffer list;

	buffer_init(&list, LIST_BYTES);
	(void)buffer_append_text(&list, raw); /* marked */
	if (postfix_check_count(domains, membership->flagged) >= POSTFIX_CHECK_INLINE_MAX)
		append_word(&list, "",
			    bytes_of(postfix_check_map(check, domains, membership->flagged, "%1=x",
						       "openrcpt-domains", &before)));
	else
		for (size_t i = 0; i < domains->count; i++)
			if (membership->flagged[i])
				append_word(&list, "", domains->names[i]);
	return postfix_check_line(check, "%s%s", before,
				  postfix_check_set(check, NULL, class_names[class],
						    postfix_check_keep(check, &list)));
}

/* Mark in OUT_LITERAL which flagged domains stand in the list by their names. */
static void find_literal(const struct membership *membership, struct bytes list, bool *out_literal)
{
	struct bytes word;
	size_t number;

	while (postfix_next_word(&list, &word))
		if (postfix_check_find(membership->domains, word, &number) &&
		    membership->flagged[number])
			out_literal[number] = true;
}

/* In front of LIST goes, with a `!`, what is in a map, in a file, or below another. */
static const char *append_exceptions(struct postfix_check *check,
				     const struct membership *membership, bool *flagged,
				     struct buffer *list)
{
	const struct postfix_domains *domains = membership->domains;
	const char *before = "";

	if (postfix_check_count(domains, flagged) >= POSTFIX_CHECK_INLINE_MAX)
		append_word(list, "!",
			    bytes_of(postfix_check_map(check, domains, flagged, "%1=x",
						       "openrcpt-domains", &before)));
	else
		for (size_t i = 0; i < domains->count; i++)
			if (flagged[i])
				append_word(list, "!", domains->names[i]);
	return before;
}

/* The command that takes the flagged domains out of a class. */
static const char *command_without(struct postfix_check *check, const struct membership *membership,
				   enum class class)
{
	const struct postfix_domains *domains = membership->domains;
	struct bytes rest = bytes_of(postfix_raw(&check->postfix, NULL, class_names[class]));
	bool *literal = postfix_check_flags(check, domains, NULL);
	bool *others = postfix_check_flags(check, domains, NULL);
	const char *before;
	struct buffer list;
	struct bytes word;
	size_t number;

	if (literal == NULL || others == NULL) {
		check->postfix.lacks_memory = true;
		return "";
	}
	find_literal(membership, rest, literal);
	for (size_t i = 0; i < domains->count; i++)
		others[i] = membership->flagged[i] && !literal[i];
	buffer_init(&list, LIST_BYTES);
	before = append_exceptions(check, membership, others, &list);
	while (postfix_next_word(&rest, &word))
		if (!postfix_check_find(domains, word, &number) || !literal[number])
			append_word(&list, "", word);
	return postfix_check_line(check, "%s%s", before,
				  postfix_check_set(check, NULL, class_names[class],
						    postfix_check_keep(check, &list)));
}

static bool is_any_flagged(const struct membership *membership)
{
	return postfix_check_count(membership->domains, membership->flagged) > 0;
}

static void report_present(struct postfix_check *check, const struct membership *membership,
			   enum class class, const char *consequence)
{
	if (is_any_flagged(membership))
		postfix_check_report(
			check, NULL, class_names[class], command_without(check, membership, class),
			"%s %s in %s%s: %s",
			postfix_check_names(check, membership->domains, membership->flagged),
			postfix_check_count(membership->domains, membership->flagged) == 1 ? "is"
											   : "are",
			class_names[class],
			membership->domains->flag == TABLE_DOMAIN_ALIAS ? ", too" : "",
			consequence);
}

static void report_absent(struct postfix_check *check, const struct membership *membership,
			  enum class class, const char *consequence)
{
	if (is_any_flagged(membership))
		postfix_check_report(
			check, NULL, class_names[class], command_with(check, membership, class),
			"%s %s not in %s%s",
			postfix_check_names(check, membership->domains, membership->flagged),
			postfix_check_count(membership->domains, membership->flagged) == 1 ? "is"
											   : "are",
			class_names[class], consequence);
}

/* ---- alias domains --------------------------------------------------------------------- */

/* With full coverage a domain is relayed to ourselves, or has to be, unless it is in
 * virtual_alias_domains alone. */
static bool is_relayed(const struct postfix_check *check, const struct membership *membership,
		       size_t number)
{
	return check->net != NULL && (!is_out(membership, CLASS_RELAY, number) ||
				      is_out(membership, CLASS_ALIAS, number));
}

static void check_wrong_classes(struct postfix_check *check, struct membership *membership)
{
	for (enum class class = 0; class < CLASSES; class ++) {
		for (size_t i = 0; i < membership->domains->count; i++) {
			bool is_right = class == CLASS_ALIAS
						? !is_relayed(check, membership, i)
						: class == CLASS_RELAY && check->net != NULL;

			membership->flagged[i] = !is_right && is_in(membership, class, i);
		}
		report_present(check, membership, class, consequences[class]);
	}
}

static void check_right_class(struct postfix_check *check, struct membership *membership)
{
	for (size_t i = 0; i < membership->domains->count; i++)
		membership->flagged[i] = is_out(membership, CLASS_ALIAS, i) &&
					 (check->net == NULL || is_out(membership, CLASS_RELAY, i));
	report_absent(check, membership, check->net != NULL ? CLASS_RELAY : CLASS_ALIAS, "");
}

/* Where the smtpd listens that takes mail back: `[127.0.0.1]:10027` for its `127.0.0.1:10027`. */
static const char *net_nexthop(struct postfix_check *check)
{
	struct bytes name = bytes_of(check->net->name);
	size_t colon = name.size;

	name = bytes_first(name, bytes_index(name, '/'));
	for (size_t i = 0; i < name.size; i++)
		if (name.data[i] == ':')
			colon = i;
	if (colon >= name.size)
		return postfix_check_line(check, "[127.0.0.1]:" BYTES_FORMAT, BYTES_ARGS(name));
	if (name.data[0] == '[')
		return postfix_check_line(check, BYTES_FORMAT, BYTES_ARGS(name));
	return postfix_check_line(check, "[" BYTES_FORMAT "]" BYTES_FORMAT,
				  BYTES_ARGS(bytes_first(name, colon)),
				  BYTES_ARGS(bytes_skip(name, colon)));
}

/* Does TRANSPORT end at the port of the smtpd that takes mail back? */
static bool leads_to_net(const char *transport, const char *nexthop)
{
	const char *port = strrchr(nexthop, ':');
	size_t size = strlen(transport);

	return size > strlen(port) && strcmp(transport + size - strlen(port), port) == 0;
}

static bool check_transport(struct postfix_check *check, struct membership *membership,
			    struct error *err)
{
	const struct postfix_domains *domains = membership->domains;
	const char *nexthop = net_nexthop(check);
	const char *raw = postfix_raw(&check->postfix, NULL, "transport_maps");
	struct bytes rest = bytes_of(postfix_value(&check->postfix, NULL, "transport_maps"));
	const char **values =
		arena_alloc(&check->postfix.arena, (domains->count + 1) * sizeof(*values));
	bool is_elsewhere =
		!leads_to_net(postfix_value(&check->postfix, NULL, "relay_transport"), nexthop);
	bool *is_found = postfix_check_flags(check, domains, err);
	const char *before;
	const char *map;
	struct bytes word;

	if (values == NULL || is_found == NULL)
		return error_set_memory(err);
	for (size_t i = 0; i < domains->count; i++)
		membership->flagged[i] = is_elsewhere && is_in(membership, CLASS_RELAY, i);
	while (postfix_next_word(&rest, &word)) {
		bool is_known;

		if (!postfix_check_ask(check, NULL, "transport_maps", word, domains->names,
				       domains->count, &check->postfix.arena, values, &is_known,
				       err))
			return false;
		if (!is_known)
			return true;
		for (size_t i = 0; i < domains->count; i++) {
			if (values[i] == NULL || is_found[i])
				continue;
			is_found[i] = true;
			membership->flagged[i] = is_in(membership, CLASS_RELAY, i) &&
						 !leads_to_net(values[i], nexthop);
		}
	}
	if (!is_any_flagged(membership))
		return true;
	map = postfix_check_map(check, domains, membership->flagged,
				postfix_check_line(check, "%%1=smtp:%s", nexthop),
				"openrcpt-transport", &before);
	postfix_check_report(
		check, NULL, "transport_maps",
		postfix_check_line(
			check, "%s%s", before,
			postfix_check_set(check, NULL, "transport_maps",
					  postfix_check_line(check, "%s%s%s", map,
							     raw[0] != '\0' ? ", " : "", raw))),
		"transport_maps doesn't lead %s to %s: what is left unexpanded would be relayed, "
		"and not come back",
		postfix_check_names(check, domains, membership->flagged), check->net->name);
	return true;
}

static bool check_alias_domains(struct postfix_check *check, struct error *err)
{
	struct membership membership;
	bool *relayed = postfix_check_flags(check, &check->alias, err);

	if (relayed == NULL || !find_members(check, &check->alias, &membership, err))
		return false;
	check_wrong_classes(check, &membership);
	check_right_class(check, &membership);
	for (size_t i = 0; i < check->alias.count; i++)
		relayed[i] = is_relayed(check, &membership, i);
	if (check->net != NULL && !check_transport(check, &membership, err))
		return false;
	return postfix_check_alias_maps(check, relayed, err);
}

/* ---- mailbox domains -------------------------------------------------------------------- */

static bool check_mailbox_domains(struct postfix_check *check, struct error *err)
{
	struct membership membership;
	size_t count = check->mailbox.count;
	const char **maps = arena_alloc(&check->postfix.arena, (count + 1) * sizeof(*maps));

	if (maps == NULL)
		return error_set_memory(err);
	if (!find_members(check, &check->mailbox, &membership, err))
		return false;
	for (size_t i = 0; i < count; i++)
		membership.flagged[i] = is_in(&membership, CLASS_ALIAS, i);
	report_present(check, &membership, CLASS_ALIAS,
		       "Postfix would bounce the mail of its mailboxes");
	for (size_t i = 0; i < count; i++) {
		membership.flagged[i] = true;
		maps[i] = NULL;
		for (enum class class = 0; class < CLASSES; class ++) {
			if (class == CLASS_ALIAS || is_out(&membership, class, i))
				continue;
			membership.flagged[i] = false;
			maps[i] = recipient_maps[class];
		}
	}
	report_absent(check, &membership, CLASS_MAILBOX,
		      ", nor in relay_domains or mydestination: nobody would deliver to its "
		      "mailboxes");
	return postfix_check_mailbox_maps(check, maps, err);
}

bool postfix_check_domains(struct postfix_check *check, struct error *err)
{
	if (check->alias.count + check->mailbox.count == 0)
		postfix_check_note(check, "# openrcpt.conf: alias_domains = [ \"example.com\" ];",
				   "the table has no domain of ours to look for");
	return check_alias_domains(check, err) && check_mailbox_domains(check, err) &&
	       postfix_check_expanded_maps(check, err);
}
