/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_check_restrictions - lists of smtpd's restrictions, and classes of them: address probes,
 * which pass milters by, and checks of senders, which the mapping of a domain to itself blinds.
 */
#include <string.h>

#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

enum { LIST_BYTES = 256 * 1024 * 1024 };

static const char *const restrictions[] = {
	"smtpd_client_restrictions",      "smtpd_helo_restrictions",
	"smtpd_sender_restrictions",      "smtpd_relay_restrictions",
	"smtpd_recipient_restrictions",   "smtpd_data_restrictions",
	"smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions",
};

/* Are all our domains let through by MAP before a probe is made? What can't be told is, since that
 * is reported already. */
static bool mark_permitted(struct postfix_check *check, const struct postfix_service *service,
			   const char *parameter, const struct postfix_domains *domains,
			   struct bytes map, bool *permitted, struct error *err)
{
	struct arena *arena = &check->postfix.arena;
	const char **values = arena_alloc(arena, (domains->count + 1) * sizeof(*values));
	bool is_known;

	if (values == NULL)
		return error_set_memory(err);
	if (!postfix_check_ask(check, service, parameter, map, domains->names, domains->count,
			       arena, values, &is_known, err))
		return false;
	for (size_t i = 0; i < domains->count; i++)
		if (!is_known || (values[i] != NULL && (strcasecmp(values[i], "OK") == 0 ||
							strcasecmp(values[i], "permit") == 0)))
			permitted[i] = true;
	return true;
}

/* The list with a look-up of MAP in front of each probe. */
static const char *list_with(struct postfix_check *check, const char *list, const char *map)
{
	struct bytes rest = bytes_of(list);
	struct bytes word;
	struct buffer text;

	buffer_init(&text, LIST_BYTES);
	while (postfix_next_word(&rest, &word)) {
		if (text.size > 0)
			(void)buffer_append_text(&text, ", "); /* this and all others: marked */
		if (bytes_equal_ascii_nocase(word, bytes_of("reject_unverified_recipient")))
			(void)buffer_append_format(&text, "check_recipient_access %s, ", map);
		(void)buffer_append(&text, word);
	}
	return postfix_check_keep(check, &text);
}

static void report_probe(struct postfix_check *check, const struct postfix_service *service,
			 const char *parameter, const struct postfix_domains *domains,
			 const bool *permitted, struct error *err)
{
	bool *flagged = postfix_check_flags(check, domains, err);
	const char *before;
	const char *map;
	const char *list;

	if (flagged == NULL) {
		check->postfix.lacks_memory = true;
		return;
	}
	for (size_t i = 0; i < domains->count; i++)
		flagged[i] = !permitted[i];
	if (postfix_check_count(domains, flagged) == 0)
		return;
	map = postfix_check_map(check, domains, flagged, "%1=OK", "openrcpt-access", &before);
	list = list_with(check, postfix_raw(&check->postfix, service, parameter), map);
	postfix_check_report(
		check, service, parameter,
		postfix_check_line(check, "%s%s", before,
				   postfix_check_set(check, service, parameter, list)),
		"reject_unverified_recipient in %s probes addresses of %s without asking openrcpt, "
		"and refuses every alias",
		parameter, postfix_check_names(check, domains, flagged));
}

/* A probe of a sender who is an alias finds nobody. */
static void report_sender_probe(struct postfix_check *check, const struct postfix_service *service,
				const char *parameter)
{
	struct buffer others;

	buffer_init(&others, LIST_BYTES);
	postfix_list_without(&others, bytes_of(postfix_raw(&check->postfix, service, parameter)),
			     bytes_of("reject_unverified_sender"));
	postfix_check_report(
		check, service, parameter,
		postfix_check_set(check, service, parameter, postfix_check_keep(check, &others)),
		"reject_unverified_sender in %s probes senders without asking openrcpt, and "
		"refuses "
		"mail from every alias (or let our domains pass before it, by check_sender_access)",
		parameter);
}

static void note_unlisted(struct postfix_check *check, const char *command)
{
	postfix_check_note(check, command,
			   "reject_unlisted_sender doesn't find unknown senders in our domains any "
			   "more, since each domain is mapped to itself");
}

/* What one list has seen so far. */
struct scan {
	bool *alias; /* permitted */
	bool *mailbox;
	bool is_sender_permitted;
	bool is_warning; /* the next restriction only warns */
};

static bool check_access(struct postfix_check *check, const struct postfix_service *service,
			 const char *parameter, struct bytes map, struct scan *scan,
			 struct error *err)
{
	return mark_permitted(check, service, parameter, &check->alias, map, scan->alias, err) &&
	       mark_permitted(check, service, parameter, &check->mailbox, map, scan->mailbox, err);
}

static bool check_word(struct postfix_check *check, const struct postfix_service *service,
		       const char *parameter, struct bytes word, struct bytes *rest,
		       struct scan *scan, struct error *err)
{
	bool is_warning = scan->is_warning;

	scan->is_warning = bytes_equal_ascii_nocase(word, bytes_of("warn_if_reject"));
	if (bytes_equal_ascii_nocase(word, bytes_of("check_recipient_access")))
		return !postfix_next_word(rest, &word) ||
		       check_access(check, service, parameter, word, scan, err);
	if (bytes_equal_ascii_nocase(word, bytes_of("check_sender_access"))) {
		scan->is_sender_permitted = true;
		return true;
	}
	if (is_warning)
		return true;
	if (bytes_equal_ascii_nocase(word, bytes_of("reject_unverified_recipient"))) {
		report_probe(check, service, parameter, &check->alias, scan->alias, err);
		report_probe(check, service, parameter, &check->mailbox, scan->mailbox, err);
	} else if (bytes_equal_ascii_nocase(word, bytes_of("reject_unverified_sender")) &&
		   !scan->is_sender_permitted) {
		report_sender_probe(check, service, parameter);
	} else if (bytes_equal_ascii_nocase(word, bytes_of("reject_unlisted_sender"))) {
		note_unlisted(check, postfix_check_line(check, "# main.cf: %s", parameter));
	}
	return true;
}

static bool check_list(struct postfix_check *check, const struct postfix_service *service,
		       const char *parameter, struct error *err)
{
	struct bytes rest = bytes_of(postfix_value(&check->postfix, service, parameter));
	struct scan scan = {
		.alias = postfix_check_flags(check, &check->alias, err),
		.mailbox = postfix_check_flags(check, &check->mailbox, err),
	};
	struct bytes word;

	if (scan.alias == NULL || scan.mailbox == NULL)
		return false;
	while (postfix_next_word(&rest, &word))
		if (!check_word(check, service, parameter, word, &rest, &scan, err))
			return false;
	return true;
}

bool postfix_check_restrictions(struct postfix_check *check, const struct postfix_service *service,
				struct error *err)
{
	const struct postfix *postfix = &check->postfix;
	struct bytes classes =
		bytes_of(postfix_value(postfix, service, "smtpd_restriction_classes"));
	struct bytes word;

	for (size_t i = 0; i < sizeof(restrictions) / sizeof(restrictions[0]); i++)
		if (!check_list(check, service, restrictions[i], err))
			return false;
	/* A class may be named by a list, or by an access map. */
	while (postfix_next_word(&classes, &word))
		if (!check_list(check, service,
				postfix_check_line(check, BYTES_FORMAT, BYTES_ARGS(word)), err))
			return false;
	if (check->alias.count > 0 &&
	    postfix_is_yes(postfix, service, "smtpd_reject_unlisted_sender"))
		note_unlisted(check, postfix_check_set(check, service,
						       "smtpd_reject_unlisted_sender", "no"));
	return true;
}
