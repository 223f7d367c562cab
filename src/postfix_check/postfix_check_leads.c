/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_check_leads - recipients that Postfix adds or makes behind the milter: blind copies,
 * aliases(5), rewriting. Where they lead to an alias of ours, nobody expands it.
 */
#include <string.h>

#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

enum { ADDRESS_BYTES = 1024 };

/* ---- one address ----------------------------------------------------------------------- */

/* Where the key leads that isn't expanded; the one target it has, or "". */
struct lost {
	const char *address;
	const char *target;
};

/* Is the one target of ENTRY the key itself? Else *OUT_TARGET is that one; empty: not one. */
static bool leads_to_itself(struct postfix_check *check, const struct table_entry *entry,
			    struct bytes local, struct bytes domain, const char **out_target)
{
	struct table_target_cursor cursor;
	struct table_target target;
	struct table_target second;

	*out_target = "";
	if (entry->kind != TABLE_ENTRY_TARGETS)
		return true; /* refused or dropped: there is nothing to expand */
	table_targets_begin(entry, &cursor);
	if (table_next_target(check->options->table, &cursor, &target) != LOOKUP_FOUND)
		return false;
	if (table_next_target(check->options->table, &cursor, &second) == LOOKUP_FOUND ||
	    target.keeps_user)
		return false;
	if (bytes_equal_ascii_nocase(target.local, local) &&
	    bytes_equal(target.domain.name, domain))
		return true;
	if ((target.domain.flags & TABLE_DOMAIN_ALIAS) == 0)
		*out_target = postfix_check_line(check, BYTES_FORMAT "@" BYTES_FORMAT,
						 BYTES_ARGS(target.local),
						 BYTES_ARGS(target.domain.name));
	return false;
}

static struct bytes domain_of(struct bytes address)
{
	size_t at = address.size;

	while (at > 0 && address.data[at - 1] != '@')
		at--;
	return at == 0 ? bytes_make(NULL, 0) : bytes_skip(address, at);
}

/* Would mail to ADDRESS need us? */
static bool is_lost(struct postfix_check *check, struct bytes address, struct lost *out_lost)
{
	char folded[ADDRESS_BYTES];
	struct table_domain found;
	struct table_entry entry;
	struct bytes domain;
	struct bytes local;
	size_t number;

	if (address.size == 0 || address.size > sizeof(folded) || address.data[0] == '\\')
		return false;
	for (size_t i = 0; i < address.size; i++)
		folded[i] = byte_to_lower(address.data[i]);
	address = bytes_make(folded, address.size);
	domain = domain_of(address);
	local = domain.size > 0 ? bytes_first(address, address.size - domain.size - 1) : address;
	if (domain.size == 0)
		domain = table_rules(check->options->table)->origin;
	*out_lost = (struct lost){
		.address = postfix_check_line(check, BYTES_FORMAT "@" BYTES_FORMAT,
					      BYTES_ARGS(local), BYTES_ARGS(domain)),
		.target = "",
	};
	if (local.size > 0 &&
	    table_find_key(check->options->table, domain, local, &found, &entry) == LOOKUP_FOUND &&
	    !leads_to_itself(check, &entry, local, domain, &out_lost->target))
		return true;
	/* An address of an alias domain is never delivered as it is. */
	return postfix_check_find(&check->alias, domain, &number);
}

/* ---- what leads there ------------------------------------------------------------------- */

static void report_lost(struct postfix_check *check, const struct postfix_service *service,
			const char *parameter, const char *map, const struct lost *lost,
			const char *consequence)
{
	const char *target = lost->target[0] != '\0' ? lost->target : "its targets";
	const char *command = postfix_check_line(
		check, "# in %s write %s in place of %s; or see \"Full coverage\" in the guide",
		map, target, lost->address);

	if (map == parameter && lost->target[0] != '\0')
		command = postfix_check_set(check, service, parameter, lost->target);
	postfix_check_report(check, service, parameter, command,
			     "%s leads to %s, which no milter sees there: %s", map, lost->address,
			     consequence);
}

/* Parameters that are an address. */
static void check_value(struct postfix_check *check, const struct postfix_service *service,
			const char *parameter)
{
	struct bytes value = bytes_of(postfix_value(&check->postfix, service, parameter));
	struct lost lost;

	if (is_lost(check, postfix_trim(value), &lost))
		report_lost(check, service, parameter, parameter, &lost,
			    "the mail would bounce, or be lost");
}

/* Is WORD, of a value in TEXT, an address that needs us? Commands, files and lists are none. */
static bool is_lost_word(struct postfix_check *check, struct bytes word, bool needs_domain,
			 struct lost *out_lost)
{
	while (word.size > 0 && (word.data[0] == '"' || word.data[0] == '<'))
		word = bytes_skip(word, 1);
	while (word.size > 0 &&
	       (word.data[word.size - 1] == '"' || word.data[word.size - 1] == '>'))
		word.size--;
	if (word.size == 0 || word.data[0] == '|' || word.data[0] == '/' || word.data[0] == ':' ||
	    (needs_domain && domain_of(word).size == 0))
		return false;
	return is_lost(check, word, out_lost);
}

/* The value that a line of a map has: behind its TAB; of a pattern, behind its last `/`. */
static struct bytes value_of_line(struct bytes line, bool are_patterns)
{
	size_t begin = 0;

	if (!are_patterns)
		return bytes_skip(line, bytes_index(line, '\t') + 1);
	line = postfix_trim(line);
	if (line.size == 0 || line.data[0] == '#')
		return bytes_make(NULL, 0);
	while (begin < line.size && line.data[begin] != ' ' && line.data[begin] != '\t')
		begin++;
	return bytes_skip(line, begin);
}

/* What in TEXT, all that MAP has, leads to us? The first is enough. */
static void check_values(struct postfix_check *check, const struct postfix_service *service,
			 const char *parameter, const char *map, struct bytes text,
			 bool are_patterns, const char *consequence)
{
	struct bytes line;
	struct bytes word;
	struct lost lost;

	while (postfix_next_line(&text, &line)) {
		struct bytes key = bytes_first(line, bytes_index(line, '\t'));
		struct bytes value = value_of_line(line, are_patterns);
		size_t number;

		/* Of those that are keys of ours something else is said. */
		if (strcmp(parameter, "virtual_alias_maps") == 0 &&
		    postfix_check_find(&check->alias, domain_of(key), &number))
			continue;
		while (postfix_next_word(&value, &word))
			if (is_lost_word(check, word, are_patterns, &lost)) {
				report_lost(check, service, parameter, map, &lost, consequence);
				return;
			}
	}
}

/* Parameters that are maps with addresses on the right. */
static const struct {
	const char *parameter;
	const char *consequence;
	bool is_rewriting; /* of addresses that are named: what can't be listed is seen above */
} lead_maps[] = {
	{ "recipient_bcc_maps", "the copy would be lost", false },
	{ "sender_bcc_maps", "the copy would be lost", false },
	{ "alias_maps", "mail to that alias would bounce", false },
	{ "canonical_maps", "the mail would bounce", true },
	{ "recipient_canonical_maps", "the mail would bounce", true },
	{ "virtual_alias_maps", "the mail would bounce", true },
};

static bool check_map(struct postfix_check *check, const struct postfix_service *service,
		      size_t which, struct bytes map, struct error *err)
{
	const char *parameter = lead_maps[which].parameter;
	const char *name = postfix_check_line(check, BYTES_FORMAT, BYTES_ARGS(map));
	bool are_patterns;
	struct bytes text;
	struct error why;
	enum postfix_answer answer = postfix_list_map(&check->postfix, map, &check->postfix.arena,
						      &text, &are_patterns, &why);

	if (answer == POSTFIX_FAILED)
		return error_set(err, why.status, "%s", why.text);
	if (answer == POSTFIX_CANT_TELL && !lead_maps[which].is_rewriting)
		postfix_check_cannot_tell(check, service, parameter, map, why.text);
	if (answer == POSTFIX_ANSWERED && !(are_patterns && lead_maps[which].is_rewriting))
		check_values(check, service, parameter, name, text, are_patterns,
			     lead_maps[which].consequence);
	return true;
}

static bool check_maps(struct postfix_check *check, const struct postfix_service *service,
		       struct error *err)
{
	for (size_t i = 0; i < sizeof(lead_maps) / sizeof(lead_maps[0]); i++) {
		const char *parameter = lead_maps[i].parameter;
		struct bytes list = bytes_of(postfix_value(&check->postfix, service, parameter));
		struct bytes map;

		/* The default names what many hosts don't have; then it has no alias, either. */
		if (strcmp(parameter, "alias_maps") == 0 &&
		    !postfix_is_explicit(&check->postfix, parameter))
			continue;
		if (service != NULL && !postfix_overrides(&check->postfix, service, parameter))
			continue;
		while (postfix_next_word(&list, &map))
			if (!check_map(check, service, i, map, err))
				return false;
	}
	return true;
}

bool postfix_check_leads(struct postfix_check *check, struct error *err)
{
	const struct postfix *postfix = &check->postfix;

	/* With full coverage all of it comes back. */
	if (check->net != NULL)
		return true;
	check_value(check, NULL, "always_bcc");
	check_value(check, NULL, "luser_relay");
	if (!check_maps(check, NULL, err))
		return false;
	for (size_t i = 0; i < postfix->service_count; i++) {
		const struct postfix_service *service = &postfix->services[i];

		if (strcmp(service->command, "cleanup") != 0)
			continue;
		check_value(check, service, "always_bcc");
		if (!check_maps(check, service, err))
			return false;
	}
	return true;
}
