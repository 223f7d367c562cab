/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

enum { LIST_BYTES = 1024 * 1024 };

/* One element of smtpd_milters. */
struct milter_entry {
	struct bytes endpoint;
	struct bytes action; /* of its own; empty: milter_default_action's */
	struct bytes rest;   /* what stands behind the endpoint in braces */
};

/* Where a milter list has ours. */
struct milter_place {
	bool is_there;
	bool is_last;
	bool is_hidden; /* meant to be ours, but in a chroot it is another file */
	struct milter_entry entry;
};

static struct bytes value_of(struct bytes word, const char *name)
{
	size_t equals = bytes_index(word, '=');

	if (!bytes_equal(postfix_trim(bytes_first(word, equals)), bytes_of(name)))
		return bytes_make(NULL, 0);
	return postfix_trim(bytes_skip(word, equals + 1));
}

/* Take an option of an entry: a word, or several where there are blanks around its `=`. */
static bool next_option(struct bytes *rest, struct bytes *out_option)
{
	struct bytes word;
	const char *end;

	if (!postfix_next_word(rest, out_option))
		return false;
	*out_option = postfix_unbrace(*out_option);
	while (out_option->data[out_option->size - 1] == '=' ||
	       (rest->size > 0 && postfix_trim(*rest).size > 0 &&
		postfix_trim(*rest).data[0] == '=')) {
		if (!postfix_next_word(rest, &word))
			break;
		end = word.data + word.size;
		out_option->size = (size_t)(end - out_option->data);
	}
	return true;
}

static struct milter_entry parse_entry(struct bytes word)
{
	struct milter_entry entry = { .action = bytes_make(NULL, 0) };
	struct bytes rest = postfix_unbrace(word);
	struct bytes option;

	if (!postfix_next_word(&rest, &entry.endpoint))
		entry.endpoint = word;
	entry.rest = rest;
	while (next_option(&rest, &option)) {
		struct bytes action = value_of(option, "default_action");

		if (action.size > 0)
			entry.action = action;
	}
	return entry;
}

/* 127.0.0.1 and localhost are one host to us, since a milter there is one daemon. */
static struct bytes one_localhost(struct postfix_check *check, struct bytes endpoint)
{
	static const char *const names[] = { "inet:localhost:", "inet:[127.0.0.1]:" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_begin_with(endpoint, bytes_of(names[i])))
			return bytes_of(postfix_check_line(
				check, "inet:127.0.0.1:" BYTES_FORMAT,
				BYTES_ARGS(bytes_skip(endpoint, strlen(names[i])))));
	return endpoint;
}

static struct bytes path_of(struct bytes endpoint)
{
	static const char *const kinds[] = { "unix:", "local:" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bytes_begin_with(endpoint, bytes_of(kinds[i])))
			return bytes_skip(endpoint, strlen(kinds[i]));
	return bytes_make(NULL, 0);
}

enum whose { ANOTHERS, OURS, HIDDEN };

static enum whose whose(struct postfix_check *check, bool is_chrooted,
			const struct milter_entry *entry)
{
	struct bytes path;

	if (check->socket_path == NULL)
		return bytes_equal(one_localhost(check, entry->endpoint),
				   one_localhost(check, bytes_of(check->endpoint)))
			       ? OURS
			       : ANOTHERS;
	path = path_of(entry->endpoint);
	if (postfix_check_leads_to_us(check, is_chrooted, path))
		return OURS;
	return postfix_check_leads_to_us(check, false, path) ? HIDDEN : ANOTHERS;
}

static struct milter_place find_ours(struct postfix_check *check, bool is_chrooted,
				     const char *list)
{
	struct milter_place place = { .is_there = false };
	struct bytes rest = bytes_of(list);
	struct bytes word;

	while (postfix_next_word(&rest, &word)) {
		struct milter_entry entry = parse_entry(word);
		enum whose owner = whose(check, is_chrooted, &entry);

		place.is_last = owner == OURS;
		place.is_there |= owner == OURS;
		place.is_hidden |= owner == HIDDEN;
		if (owner != ANOTHERS)
			place.entry = entry;
	}
	return place;
}

/* ---- the line to change --------------------------------------------------------------- */

/* The list as it should be: the others as they are, and ours with its options. */
static const char *mended_list(struct postfix_check *check, bool is_chrooted, const char *list,
			       bool has_ours)
{
	struct milter_place place = find_ours(check, is_chrooted, list);
	struct bytes options = place.entry.rest;
	struct bytes rest = bytes_of(list);
	struct bytes option;
	struct bytes word;
	struct buffer text;

	buffer_init(&text, LIST_BYTES);
	while (postfix_next_word(&rest, &word)) {
		struct milter_entry entry = parse_entry(word);

		if (whose(check, is_chrooted, &entry) != ANOTHERS)
			continue;
		(void)buffer_append(&text, word); /* this and all others: marked */
		(void)buffer_append_text(&text, has_ours ? ", " : " ");
	}
	if (has_ours) {
		(void)buffer_append_format(&text, "{ %s", check->endpoint);
		while (next_option(&options, &option))
			if (value_of(option, "default_action").size == 0)
				(void)buffer_append_format(&text, ", " BYTES_FORMAT,
							   BYTES_ARGS(option));
		(void)buffer_append_text(&text, ", default_action=tempfail }");
	}
	return postfix_check_escape(check, postfix_check_keep(check, &text));
}

static const char *mend(struct postfix_check *check, const struct postfix_service *service,
			const char *parameter, bool is_chrooted)
{
	const char *list = postfix_value(&check->postfix, service, parameter);

	return postfix_check_set(check, service, parameter,
				 mended_list(check, is_chrooted, list, true));
}

/* ---- a list that has it ---------------------------------------------------------------- */

static void check_action(struct postfix_check *check, const struct postfix_service *service,
			 const char *parameter, bool is_chrooted, const struct milter_place *place)
{
	struct bytes action = place->entry.action;
	const char *given = postfix_check_line(check, "openrcpt's default_action in %s", parameter);

	if (action.size == 0) {
		action = bytes_of(postfix_value(&check->postfix, service, "milter_default_action"));
		given = "milter_default_action, which counts for openrcpt,";
	}
	if (bytes_equal(action, bytes_of("tempfail")) || bytes_equal(action, bytes_of("shutdown")))
		return;
	/* Where one service has another default, all are better off with an action of our own. */
	postfix_check_report(
		check, service, parameter, mend(check, service, parameter, is_chrooted),
		"%s is " BYTES_FORMAT ": while openrcptd is away mail to aliases would not wait",
		given, BYTES_ARGS(action));
}

static const char *options_with(struct postfix_check *check, const struct postfix_service *service)
{
	const char *raw = postfix_raw(&check->postfix, service, "receive_override_options");

	return postfix_check_line(check, "no_milters%s%s", raw[0] != '\0' ? ", " : "", raw);
}

static void check_place(struct postfix_check *check, const struct postfix_service *service,
			const struct milter_place *place)
{
	const struct postfix *postfix = &check->postfix;
	const char *list = postfix_value(postfix, service, "smtpd_milters");

	if (postfix_value(postfix, service, "smtpd_proxy_filter")[0] != '\0') {
		postfix_check_report(
			check, service, "smtpd_proxy_filter",
			postfix_check_set_in(check, service, "smtpd_milters",
					     mended_list(check, service->is_chrooted, list, false)),
			"%s has smtpd_proxy_filter: behind it no milter can change recipients; "
			"ours belongs to the smtpd behind the filter",
			service->name);
		return;
	}
	if (postfix_check_is_reinjection(check, service)) {
		postfix_check_report(
			check, service, "content_filter",
			postfix_check_set_in(check, service, "receive_override_options",
					     options_with(check, service)),
			"%s takes back what a content filter has seen, and would expand it a "
			"second time",
			service->name);
		return;
	}
	if (!place->is_last)
		postfix_check_report(
			check, service, "smtpd_milters",
			mend(check, service, "smtpd_milters", service->is_chrooted),
			"openrcpt is not the last milter: what a later one refuses would be "
			"expanded all the same");
	check_action(check, service, "smtpd_milters", service->is_chrooted, place);
}

static void report_hidden(struct postfix_check *check, const struct postfix_service *service,
			  const char *parameter, const char *who)
{
	const char *queue = postfix_value(&check->postfix, NULL, "queue_directory");
	bool is_outside = strcmp(check->endpoint + strlen("unix:"), check->socket_path) == 0;
	const char *command =
		is_outside ? postfix_check_line(check,
						"# openrcpt.conf: socket = "
						"\"unix:%s/openrcpt/milter.sock\"; restart "
						"openrcptd, and ask again",
						queue)
			   : mend(check, service, parameter, true);

	postfix_check_report(check, service, parameter, command,
			     "%s runs in a chroot, where %s is not visible%s", who,
			     check->socket_path,
			     is_outside ? ": move it below the queue directory" : "");
}

/* ---- what turns milters off ------------------------------------------------------------ */

static bool has_no_milters(const struct postfix_check *check, const struct postfix_service *service)
{
	return postfix_has_word(
		bytes_of(postfix_value(&check->postfix, service, "receive_override_options")),
		"no_milters");
}

static void report_no_milters(struct postfix_check *check, const struct postfix_service *service,
			      const char *consequence)
{
	struct buffer rest;
	const char *value;

	buffer_init(&rest, LIST_BYTES);
	postfix_list_without(
		&rest,
		bytes_of(postfix_value(&check->postfix, service, "receive_override_options")),
		bytes_of("no_milters"));
	value = postfix_check_escape(check, postfix_check_keep(check, &rest));
	postfix_check_report(
		check, service, "receive_override_options",
		postfix_check_set(check, service, "receive_override_options", value),
		"receive_override_options has no_milters for %s, which takes nothing back from a "
		"content filter: %s",
		service->name, consequence);
}

/* Does some value in TEXT, what a map by client address has, turn ours off? */
static bool turns_us_off(struct postfix_check *check, const struct postfix_service *service,
			 struct bytes text, bool are_patterns)
{
	struct bytes line;

	while (postfix_next_line(&text, &line)) {
		size_t size = bytes_index(line, '\t');
		struct bytes value;

		if (are_patterns) {
			line = postfix_trim(line);
			if (line.size == 0 || line.data[0] == '#')
				continue;
			size = bytes_index(line, ' ') < size ? bytes_index(line, ' ') : size;
		}
		value = postfix_trim(bytes_skip(line, size));
		if (!find_ours(check, service->is_chrooted,
			       postfix_check_line(check, BYTES_FORMAT, BYTES_ARGS(value)))
			     .is_there)
			return true;
	}
	return false;
}

static bool check_milter_maps(struct postfix_check *check, const struct postfix_service *service,
			      struct error *err)
{
	static const char parameter[] = "smtpd_milter_maps";
	struct bytes list = bytes_of(postfix_value(&check->postfix, service, parameter));
	struct bytes rest = list;
	struct bytes map;

	while (postfix_next_word(&rest, &map)) {
		bool are_patterns;
		struct bytes text;
		struct buffer others;
		struct error why;
		enum postfix_answer answer = postfix_list_map(
			&check->postfix, map, &check->postfix.arena, &text, &are_patterns, &why);

		if (answer == POSTFIX_FAILED)
			return error_set(err, why.status, "%s", why.text);
		if (answer == POSTFIX_CANT_TELL)
			postfix_check_cannot_tell(check, service, parameter, map, why.text);
		if (answer == POSTFIX_CANT_TELL ||
		    !turns_us_off(check, service, text, are_patterns))
			continue;
		buffer_init(&others, LIST_BYTES);
		postfix_list_without(&others, list, map);
		postfix_check_report(
			check, service, parameter,
			postfix_check_set(
				check, service, parameter,
				postfix_check_escape(check, postfix_check_keep(check, &others))),
			BYTES_FORMAT " in smtpd_milter_maps turns openrcpt off for some clients: "
				     "their mail to aliases would bounce (a value may be a list of "
				     "milters, with ours)",
			BYTES_ARGS(map));
	}
	return true;
}

/* ---- all of it ------------------------------------------------------------------------- */

/* Behind a proxy filter there is another smtpd, which is checked on its own. */
static bool is_asked_elsewhere(const struct postfix_check *check,
			       const struct postfix_service *service)
{
	return postfix_check_is_reinjection(check, service) ||
	       postfix_value(&check->postfix, service, "smtpd_proxy_filter")[0] != '\0';
}

bool postfix_check_milters(struct postfix_check *check, const struct postfix_service *service,
			   struct error *err)
{
	struct milter_place place =
		find_ours(check, service->is_chrooted,
			  postfix_value(&check->postfix, service, "smtpd_milters"));

	if (has_no_milters(check, service)) {
		if (!is_asked_elsewhere(check, service))
			report_no_milters(check, service,
					  "mail to aliases would bounce, and nobody is refused");
		return true;
	}
	if (place.is_there)
		check_place(check, service, &place);
	else if (place.is_hidden)
		report_hidden(check, service, "smtpd_milters", service->name);
	else if (!is_asked_elsewhere(check, service))
		postfix_check_report(check, service, "smtpd_milters",
				     mend(check, service, "smtpd_milters", service->is_chrooted),
				     "%s doesn't ask openrcpt: mail to aliases would bounce",
				     postfix_overrides(&check->postfix, service, "smtpd_milters")
					     ? service->name
					     : "smtpd_milters");
	return is_asked_elsewhere(check, service) || check_milter_maps(check, service, err);
}

static void check_bounces(struct postfix_check *check)
{
	const char *classes = postfix_raw(&check->postfix, NULL, "internal_mail_filter_classes");

	if (postfix_has_word(
		    bytes_of(postfix_value(&check->postfix, NULL, "internal_mail_filter_classes")),
		    "bounce"))
		return;
	postfix_check_report(
		check, NULL, "internal_mail_filter_classes",
		postfix_check_set(check, NULL, "internal_mail_filter_classes",
				  postfix_check_line(check, "%s%sbounce", classes,
						     classes[0] != '\0' ? ", " : "")),
		"internal_mail_filter_classes has no bounce: a delivery report to an alias would "
		"be lost");
}

static void check_cleanup(struct postfix_check *check, const struct postfix_service *service)
{
	static const char parameter[] = "non_smtpd_milters";
	struct milter_place place = find_ours(check, service->is_chrooted,
					      postfix_value(&check->postfix, service, parameter));

	if (place.is_there) {
		check_action(check, service, parameter, service->is_chrooted, &place);
		if (check->net == NULL)
			check_bounces(check);
	} else if (place.is_hidden) {
		report_hidden(check, service, parameter,
			      postfix_check_line(check, "cleanup(8), %s,", service->name));
	} else if (check->net == NULL) {
		postfix_check_note(
			check, mend(check, service, parameter, service->is_chrooted),
			"mail of sendmail(1) to an alias bounces, since it doesn't ask openrcpt");
	}
}

void postfix_check_non_smtpd(struct postfix_check *check)
{
	static const struct postfix_service none = { .name = "cleanup/unix" };
	const struct postfix *postfix = &check->postfix;
	size_t found = 0;

	for (size_t i = 0; i < postfix->service_count; i++) {
		const struct postfix_service *service = &postfix->services[i];

		if (strcmp(service->command, "cleanup") == 0) {
			check_cleanup(check, service);
			found++;
		}
		/* The same content filter, and what turns milters off, is there for sendmail(1). */
		if (strcmp(service->command, "pickup") == 0 && has_no_milters(check, service) &&
		    postfix_value(postfix, NULL, "non_smtpd_milters")[0] != '\0' &&
		    check->net == NULL)
			report_no_milters(check, service,
					  "mail of sendmail(1) to aliases would bounce");
	}
	if (found == 0)
		check_cleanup(check, &none);
}
