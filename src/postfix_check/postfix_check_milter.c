/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/account.h"
#include "postfix_check/postfix_check_inside.h"

/* One element of smtpd_milters. */
struct milter_entry {
	struct bytes endpoint;
	struct bytes action; /* of its own; empty: milter_default_action's */
};

/* Where a milter list has ours. */
struct milter_place {
	bool is_there;
	bool is_last;
	bool is_hidden; /* meant to be ours, but in a chroot it is another file */
	struct bytes action;
};

static struct bytes value_of(struct bytes word, const char *name)
{
	size_t equals = bytes_index(word, '=');

	while (equals > 0 && equals < word.size && word.data[equals - 1] == ' ')
		word.size = equals;
	if (!bytes_equal(bytes_first(word, equals), bytes_of(name)))
		return bytes_make(NULL, 0);
	return bytes_skip(word, equals + 1);
}

static struct milter_entry parse_entry(struct bytes word)
{
	struct milter_entry entry = { .action = bytes_make(NULL, 0) };
	struct bytes rest = postfix_unbrace(word);
	struct bytes part;

	if (!postfix_next_word(&rest, &entry.endpoint))
		entry.endpoint = word;
	while (postfix_next_word(&rest, &part)) {
		struct bytes action = value_of(postfix_unbrace(part), "default_action");

		if (action.size > 0)
			entry.action = action;
	}
	return entry;
}

/* Does PATH, as SERVICE sees it, lead to PLACE? */
static bool leads_to(const struct postfix_check *check, bool is_chrooted, struct bytes path,
		     const char *place)
{
	struct bytes queue = bytes_of(postfix_value(&check->postfix, NULL, "queue_directory"));
	struct bytes target = bytes_of(place);

	if (path.size == 0)
		return false;
	if (path.data[0] == '/' && !is_chrooted)
		return bytes_equal(path, target);
	if (!bytes_begin_with(target, queue))
		return false;
	target = bytes_skip(target, queue.size);
	if (path.data[0] != '/' && target.size > 0)
		target = bytes_skip(target, 1);
	return bytes_equal(path, target);
}

/* 127.0.0.1 and localhost are one host to us, since a milter there is one daemon. */
static struct bytes without_localhost(struct postfix_check *check, struct bytes endpoint)
{
	const struct bytes local = bytes_of("inet:localhost:");

	if (!bytes_begin_with(endpoint, local))
		return endpoint;
	return bytes_of(postfix_check_line(check, "inet:127.0.0.1:" BYTES_FORMAT,
					   BYTES_ARGS(bytes_skip(endpoint, local.size))));
}

static struct milter_place find_ours(struct postfix_check *check, bool is_chrooted,
				     const char *list)
{
	struct milter_place place = { .is_there = false };
	struct bytes rest = bytes_of(list);
	struct bytes word;

	while (postfix_next_word(&rest, &word)) {
		struct milter_entry entry = parse_entry(word);
		bool is_ours;

		place.is_last = false;
		if (check->socket_path == NULL) {
			is_ours = bytes_equal(without_localhost(check, entry.endpoint),
					      without_localhost(check, bytes_of(check->endpoint)));
		} else {
			struct bytes path = bytes_begin_with(entry.endpoint, bytes_of("unix:"))
						    ? bytes_skip(entry.endpoint, 5)
						    : bytes_make(NULL, 0);

			is_ours = leads_to(check, is_chrooted, path, check->socket_path);
			place.is_hidden |=
				!is_ours && leads_to(check, false, path, check->socket_path);
		}
		if (is_ours)
			place = (struct milter_place){ .is_there = true,
						       .is_last = true,
						       .action = entry.action };
	}
	return place;
}

static const char *recipe(struct postfix_check *check, const char *parameter)
{
	return postfix_check_line(check, "%s = { %s, default_action=tempfail }", parameter,
				  check->endpoint);
}

/* ---- a list that has it ---------------------------------------------------------------- */

static void check_action(struct postfix_check *check, const struct postfix_service *service,
			 const char *parameter, struct bytes action)
{
	const char *given = "its default_action";

	if (action.size == 0) {
		action = bytes_of(postfix_value(&check->postfix, service, "milter_default_action"));
		given = "milter_default_action";
	}
	if (bytes_equal(action, bytes_of("tempfail")) || bytes_equal(action, bytes_of("shutdown")))
		return;
	postfix_check_report(check, service, parameter, recipe(check, parameter),
			     "%s is " BYTES_FORMAT
			     ": while openrcptd is away mail to aliases would not wait",
			     given, BYTES_ARGS(action));
}

static void check_place(struct postfix_check *check, const struct postfix_service *service,
			const struct milter_place *place)
{
	const struct postfix *postfix = &check->postfix;

	if (!place->is_last)
		postfix_check_report(
			check, service, "smtpd_milters",
			postfix_check_line(check,
					   "smtpd_milters = ..., { %s, default_action=tempfail }",
					   check->endpoint),
			"openrcpt is not the last milter: what a later one refuses would be "
			"expanded all the same");
	check_action(check, service, "smtpd_milters", place->action);
	if (postfix_value(postfix, service, "smtpd_proxy_filter")[0] != '\0')
		postfix_check_report(
			check, service, "smtpd_proxy_filter",
			"-o smtpd_milters=  (and ours in the smtpd behind the proxy filter)",
			"%s has smtpd_proxy_filter: behind it no milter can change recipients",
			service->name);
	if (postfix_check_is_reinjection(check, service))
		postfix_check_report(
			check, service, "content_filter", "-o receive_override_options=no_milters",
			"%s takes back what a content filter has seen, and would expand it a "
			"second time",
			service->name);
}

/* ---- the socket file ------------------------------------------------------------------- */

static bool may(const struct stat *status, uid_t user, const gid_t *groups, size_t group_count,
		mode_t wanted)
{
	mode_t shift = 0;

	if (status->st_uid == user)
		shift = 6;
	for (size_t i = 0; i < group_count && shift == 0; i++)
		if (groups[i] == status->st_gid)
			shift = 3;
	return ((status->st_mode >> shift) & wanted) == wanted;
}

/* Can Postfix's user go through all folders to the socket? Reports the first one it can't. */
static void check_access(struct postfix_check *check)
{
	const char *owner = postfix_value(&check->postfix, NULL, "mail_owner");
	const char *name = owner[0] != '\0' ? owner : "postfix";
	struct account account;
	gid_t *groups;
	size_t count;
	const char *slash = check->socket_path;
	struct stat status;

	if (account_find_user(name, &account, NULL) != ACCOUNT_FOUND ||
	    !account_groups(name, account.group, &groups, &count, NULL))
		return;
	while ((slash = strchr(slash + 1, '/')) != NULL) {
		const char *folder = postfix_check_line(
			check, "%.*s", (int)(slash - check->socket_path), check->socket_path);

		/* What isn't there yet can't be judged. */
		if (stat(folder, &status) != 0)
			goto out;
		if (!may(&status, account.user, groups, count, 1)) {
			postfix_check_report(check, NULL, "",
					     postfix_check_line(check, "chgrp %s %s; chmod 2750 %s",
								name, folder, folder),
					     "user %s can't enter %s, where the socket is", name,
					     folder);
			goto out;
		}
	}
	if (stat(check->socket_path, &status) == 0 && !may(&status, account.user, groups, count, 2))
		postfix_check_report(
			check, NULL, "",
			postfix_check_line(check,
					   "chgrp %s and chmod 2750 of its directory, then "
					   "restart openrcptd",
					   name),
			"user %s can't connect to %s", name, check->socket_path);
out:
	free(groups);
}

/* ---- all of it ------------------------------------------------------------------------- */

static bool has_no_milters(const struct postfix_check *check, const struct postfix_service *service)
{
	struct bytes rest =
		bytes_of(postfix_value(&check->postfix, service, "receive_override_options"));
	struct bytes word;

	while (postfix_next_word(&rest, &word))
		if (bytes_equal(word, bytes_of("no_milters")))
			return true;
	return false;
}

/* Behind a proxy filter there is another smtpd, which is checked on its own. */
static bool is_asked_elsewhere(const struct postfix_check *check,
			       const struct postfix_service *service)
{
	return postfix_check_is_reinjection(check, service) ||
	       postfix_value(&check->postfix, service, "smtpd_proxy_filter")[0] != '\0';
}

void postfix_check_milters(struct postfix_check *check, const struct postfix_service *service)
{
	struct milter_place place =
		find_ours(check, service->is_chrooted,
			  postfix_value(&check->postfix, service, "smtpd_milters"));

	if (has_no_milters(check, service))
		return;
	if (place.is_there) {
		check_place(check, service, &place);
		if (check->socket_path != NULL)
			check_access(check);
	} else if (place.is_hidden) {
		postfix_check_report(check, service, "smtpd_milters",
				     recipe(check, "smtpd_milters"),
				     "%s runs in a chroot, where %s is not visible%s",
				     service->name, check->socket_path,
				     strcmp(check->endpoint + 5, check->socket_path) == 0
					     ? ": move it below the queue directory, too"
					     : "");
	} else if (!is_asked_elsewhere(check, service)) {
		postfix_check_report(check, service, "smtpd_milters",
				     recipe(check, "smtpd_milters"),
				     "%s doesn't ask openrcpt: mail to aliases would bounce",
				     postfix_overrides(&check->postfix, service, "smtpd_milters")
					     ? service->name
					     : "smtpd_milters");
	}
}

void postfix_check_non_smtpd(struct postfix_check *check)
{
	const struct postfix *postfix = &check->postfix;
	bool is_chrooted = false;
	struct milter_place place;

	for (size_t i = 0; i < postfix->service_count; i++)
		if (strcmp(postfix->services[i].command, "cleanup") == 0)
			is_chrooted |= postfix->services[i].is_chrooted;
	place = find_ours(check, is_chrooted, postfix_value(postfix, NULL, "non_smtpd_milters"));
	if (place.is_there)
		check_action(check, NULL, "non_smtpd_milters", place.action);
	else if (place.is_hidden)
		postfix_check_report(
			check, NULL, "non_smtpd_milters", recipe(check, "non_smtpd_milters"),
			"cleanup(8) runs in a chroot, where %s is not visible", check->socket_path);
	else if (!check->has_safety_net)
		postfix_check_note(
			check, recipe(check, "non_smtpd_milters"),
			"mail of sendmail(1) to an alias bounces, since it doesn't ask openrcpt");
}
