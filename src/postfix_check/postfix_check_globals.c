/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

enum {
	LIST_BYTES = 1024 * 1024,
	CODE_DIGITS = 3,
};

/* ---- how addresses are read ----------------------------------------------------------- */

static bool has_all(struct bytes these, struct bytes those)
{
	for (size_t i = 0; i < those.size; i++)
		if (!bytes_contain(these, those.data[i]))
			return false;
	return true;
}

static void check_delimiter(struct postfix_check *check)
{
	struct bytes theirs = bytes_of(postfix_value(&check->postfix, NULL, "recipient_delimiter"));
	struct bytes ours = table_rules(check->options->table)->delimiters;

	if (!has_all(ours, theirs) || !has_all(theirs, ours))
		postfix_check_report(check, NULL, "recipient_delimiter",
				     postfix_check_set(check, NULL, "recipient_delimiter",
						       postfix_check_line(check, BYTES_FORMAT,
									  BYTES_ARGS(ours))),
				     "recipient_delimiter is \"" BYTES_FORMAT
				     "\", but the table was compiled with "
				     "\"" BYTES_FORMAT "\": extensions would be split differently",
				     BYTES_ARGS(theirs), BYTES_ARGS(ours));
	/* owner-list and list-request are whole names to us only where `-` splits nothing. */
	if (bytes_contain(ours, '-') &&
	    !postfix_is_yes(&check->postfix, NULL, "owner_request_special"))
		postfix_check_report(
			check, NULL, "owner_request_special",
			postfix_check_set(check, NULL, "owner_request_special", "yes"),
			"owner_request_special is no, and recipient_delimiter has a \"-\": Postfix "
			"would split list-request@ and owner-list@, openrcpt doesn't");
}

/* The value of PARAMETER, which may be in a file; false: that can't be read, and is reported. */
static bool value_of_file(struct postfix_check *check, const char *parameter,
			  struct bytes *out_value)
{
	const char *value = postfix_value(&check->postfix, NULL, parameter);
	struct bytes text = bytes_of(value);
	struct error why;

	*out_value = text;
	if (value[0] != '/')
		return true;
	if (postfix_read_file(value, &check->postfix.arena, &text, &why) != POSTFIX_ANSWERED) {
		postfix_check_cannot_tell(check, NULL, parameter, bytes_of(value), why.text);
		return false;
	}
	if (!postfix_next_word(&text, out_value))
		*out_value = bytes_make(NULL, 0);
	return true;
}

static void check_origin(struct postfix_check *check)
{
	struct bytes ours = table_rules(check->options->table)->origin;
	struct bytes theirs;

	if (!value_of_file(check, "myorigin", &theirs))
		return;
	if (!bytes_equal_ascii_nocase(ours, theirs))
		postfix_check_report(
			check, NULL, "myorigin",
			postfix_check_line(check,
					   "# openrcpt.conf: origin = \"" BYTES_FORMAT
					   "\"; then rcptmap compile",
					   BYTES_ARGS(theirs)),
			"myorigin is " BYTES_FORMAT ", but the table was compiled with origin "
			"" BYTES_FORMAT ": addresses without a domain would be completed "
			"differently",
			BYTES_ARGS(theirs), BYTES_ARGS(ours));
	else if (!bytes_contain(ours, '.'))
		postfix_check_note(
			check, "# openrcpt.conf: origin; and myorigin in main.cf",
			"warning: the origin " BYTES_FORMAT
			" has no dot: targets without a domain lead to a host that others "
			"don't know",
			BYTES_ARGS(ours));
}

/* ---- local domains --------------------------------------------------------------------- */

static bool is_literal(struct bytes domain)
{
	return domain.size > 0 && domain.data[0] == '[';
}

/* Those that one side has and the other hasn't, as a text; those of MYDESTINATION as a list. */
static bool compare_local(struct postfix_check *check, const struct postfix_domains *local,
			  struct buffer *out_differ, struct buffer *out_list, struct error *err)
{
	struct bytes origin = table_rules(check->options->table)->origin;
	struct bytes words = bytes_of(postfix_value(&check->postfix, NULL, "mydestination"));
	enum postfix_member *members = postfix_check_members(check, "mydestination", local, err);
	struct bytes word;
	size_t number;

	if (members == NULL)
		return false;
	for (size_t i = 0; i < local->count; i++)
		if (members[i] == POSTFIX_OUT && !is_literal(local->names[i]) &&
		    !bytes_equal(local->names[i], origin))
			(void)buffer_append_format(out_differ,
						   " " BYTES_FORMAT, /* as all: marked */
						   BYTES_ARGS(local->names[i]));
	while (postfix_next_word(&words, &word)) {
		if (postfix_is_map(word) || word.data[0] == '/' || word.data[0] == '!' ||
		    is_literal(word))
			continue;
		(void)buffer_append_format(out_list, "%s\"" BYTES_FORMAT "\"",
					   out_list->size > 0 ? ", " : "", BYTES_ARGS(word));
		if (!postfix_check_find(local, word, &number))
			(void)buffer_append_format(out_differ, " " BYTES_FORMAT, BYTES_ARGS(word));
	}
	return true;
}

/* They matter to keys without a domain, and to nothing else. */
static bool check_local(struct postfix_check *check, struct error *err)
{
	struct postfix_domains local = { .flag = TABLE_DOMAIN_LOCAL, .what = "local" };
	struct table_domain bare;
	struct buffer differ;
	struct buffer list;
	const char *differing;
	bool is_done;

	if (table_find_domain(check->options->table, bytes_make(NULL, 0), &bare) != LOOKUP_FOUND)
		return true;
	if (!postfix_check_collect(check, &local, err))
		return false;
	buffer_init(&differ, LIST_BYTES);
	buffer_init(&list, LIST_BYTES);
	is_done = compare_local(check, &local, &differ, &list, err);
	differing = postfix_check_keep(check, &differ);
	if (is_done && differing[0] != '\0')
		postfix_check_report(
			check, NULL, "mydestination",
			postfix_check_line(check,
					   "# openrcpt.conf: local_domains = [ %s ]; then rcptmap "
					   "compile",
					   postfix_check_keep(check, &list)),
			"mydestination and local_domains of openrcpt.conf differ in%s: keys "
			"without a domain would count in other domains than before",
			differing);
	buffer_free(&list);
	return is_done;
}

/* ---- how users are refused -------------------------------------------------------------- */

static void check_code(struct postfix_check *check, const char *parameter)
{
	struct bytes ours =
		bytes_first(bytes_of(check->options->settings->unknown_reply), CODE_DIGITS);
	const char *theirs = postfix_value(&check->postfix, NULL, parameter);

	if (theirs[0] == '\0' || bytes_equal(bytes_of(theirs), ours))
		return;
	postfix_check_report(
		check, NULL, parameter,
		postfix_check_set(check, NULL, parameter,
				  postfix_check_line(check, BYTES_FORMAT, BYTES_ARGS(ours))),
		"%s is %s, but openrcpt refuses with %s: if that is not what you want, set "
		"unknown.reply = \"%s %c.1.1\" in openrcpt.conf instead",
		parameter, theirs, check->options->settings->unknown_reply, theirs, theirs[0]);
}

static void check_codes(struct postfix_check *check)
{
	const struct postfix *postfix = &check->postfix;

	if (check->alias.count > 0)
		check_code(check, "unknown_virtual_alias_reject_code");
	if (check->mailbox.count == 0)
		return;
	if (postfix_value(postfix, NULL, "virtual_mailbox_domains")[0] != '\0')
		check_code(check, "unknown_virtual_mailbox_reject_code");
	if (postfix_value(postfix, NULL, "relay_recipient_maps")[0] != '\0')
		check_code(check, "unknown_relay_recipient_reject_code");
}

/* From 3.11 on a map may change what clients are told, our replies among them. */
static bool check_reject_filter(struct postfix_check *check, struct error *err)
{
	static const char parameter[] = "smtpd_reject_filter_maps";
	const struct bytes replies[] = {
		bytes_of(postfix_check_line(check,
					    "%s <user@example.com>: Recipient address "
					    "rejected: %s",
					    check->options->settings->unknown_reply,
					    check->options->settings->unknown_text)),
		bytes_of("451 4.3.0 <user@example.com>: Recipient address rejected: Temporary "
			 "lookup failure"),
		bytes_of("451 4.6.0 <user@example.com>: Recipient address rejected: Alias "
			 "expansion error"),
		bytes_of("451 4.7.1 Service unavailable - try again later"),
		bytes_of("452 4.5.3 <user@example.com>: Recipient address rejected: Too many "
			 "recipients"),
	};
	enum { REPLIES = sizeof(replies) / sizeof(replies[0]) };
	struct bytes rest = bytes_of(postfix_value(&check->postfix, NULL, parameter));
	struct bytes map;

	while (postfix_next_word(&rest, &map)) {
		const char *values[REPLIES];
		bool is_known;

		if (!postfix_check_ask(check, NULL, parameter, map, replies, REPLIES,
				       &check->postfix.arena, values, &is_known, err))
			return false;
		for (size_t i = 0; i < REPLIES && is_known; i++)
			if (values[i] != NULL && values[i][0] != replies[i].data[0])
				postfix_check_report(
					check, NULL, parameter,
					postfix_check_set(check, NULL, parameter, ""),
					"smtpd_reject_filter_maps makes \"%s\" of \"" BYTES_FORMAT
					"\", which openrcpt or its absence says",
					values[i], BYTES_ARGS(replies[i]));
	}
	return true;
}

/* ---- rewriting -------------------------------------------------------------------------- */

static struct bytes parent_of(struct bytes domain)
{
	size_t dot = bytes_index(domain, '.');

	return bytes_skip(domain, dot + 1);
}

static bool is_masqueraded(struct bytes masquerade, struct bytes domain)
{
	for (domain = parent_of(domain); domain.size > 0; domain = parent_of(domain))
		if (bytes_equal_ascii_nocase(domain, masquerade))
			return true;
	return false;
}

/* Postfix would make example.com of mail.example.com before or behind us. */
static bool check_masquerade(struct postfix_check *check, struct error *err)
{
	const struct postfix *postfix = &check->postfix;
	const char *classes = postfix_value(postfix, NULL, "masquerade_classes");
	struct bytes rest = bytes_of(postfix_value(postfix, NULL, "masquerade_domains"));
	struct bytes word;
	struct buffer others;
	bool *flagged = postfix_check_flags(check, &check->alias, err);
	bool is_into = false;
	size_t number;

	if (flagged == NULL)
		return false;
	if (!postfix_has_word(bytes_of(classes), "envelope_recipient"))
		return true;
	while (postfix_next_word(&rest, &word)) {
		is_into |= postfix_check_find(&check->alias, word, &number);
		for (size_t i = 0; i < check->alias.count; i++)
			flagged[i] |= is_masqueraded(word, check->alias.names[i]);
	}
	if (!is_into && postfix_check_count(&check->alias, flagged) == 0)
		return true;
	buffer_init(&others, LIST_BYTES);
	postfix_list_without(&others, bytes_of(classes), bytes_of("envelope_recipient"));
	postfix_check_report(
		check, NULL, "masquerade_classes",
		postfix_check_set(check, NULL, "masquerade_classes",
				  postfix_check_keep(check, &others)),
		"masquerade_domains changes the domain of recipients into or away from "
		"one of ours, where openrcpt doesn't see it");
	return true;
}

/* ---- all of it ------------------------------------------------------------------------- */

bool postfix_check_globals(struct postfix_check *check, struct error *err)
{
	check_delimiter(check);
	check_origin(check);
	if (postfix_is_yes(&check->postfix, NULL, "soft_bounce"))
		postfix_check_report(check, NULL, "soft_bounce",
				     postfix_check_set(check, NULL, "soft_bounce", "no"),
				     "soft_bounce turns the refusal of an unknown user into "
				     "\"try again later\"");
	check_codes(check);
	return check_local(check, err) && check_reject_filter(check, err) &&
	       check_masquerade(check, err);
}

void postfix_check_service(struct postfix_check *check, const struct postfix_service *service)
{
	if (!postfix_is_yes(&check->postfix, service, "disable_vrfy_command"))
		postfix_check_report(
			check, service, "disable_vrfy_command",
			postfix_check_set(check, service, "disable_vrfy_command", "yes"),
			"VRFY never reaches a milter: it says yes to every address");
	if (postfix_overrides(&check->postfix, service, "soft_bounce") &&
	    postfix_is_yes(&check->postfix, service, "soft_bounce"))
		postfix_check_report(check, service, "soft_bounce",
				     postfix_check_set(check, service, "soft_bounce", "no"),
				     "soft_bounce turns the refusal of an unknown user into "
				     "\"try again later\"");
}
