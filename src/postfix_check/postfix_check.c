/* SPDX-License-Identifier: BSD-2-Clause */
#include "postfix_check/postfix_check.h"

#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

#include "base/buffer.h"
#include "base/endpoint.h"
#include "postfix_check/postfix_check_inside.h"

enum { PROBLEMS_FOUND = 1 }; /* exit status */

static const char *const parameters[] = {
	"command_directory",
	"compatibility_level",
	"content_filter",
	"disable_vrfy_command",
	"internal_mail_filter_classes",
	"mail_owner",
	"milter_default_action",
	"milter_macro_daemon_name",
	"mydestination",
	"non_smtpd_milters",
	"queue_directory",
	"receive_override_options",
	"recipient_delimiter",
	"relay_domains",
	"smtpd_client_restrictions",
	"smtpd_data_restrictions",
	"smtpd_end_of_data_restrictions",
	"smtpd_helo_restrictions",
	"smtpd_milters",
	"smtpd_proxy_filter",
	"smtpd_recipient_restrictions",
	"smtpd_relay_restrictions",
	"smtpd_sender_restrictions",
	"soft_bounce",
	"virtual_alias_domains",
	"virtual_alias_maps",
	"virtual_mailbox_domains",
	NULL,
};

/* ---- what to look for ------------------------------------------------------------------ */

static bool is_alias_domain(const struct table_domain *domain)
{
	return (domain->flags & TABLE_DOMAIN_ALIAS) != 0;
}

static bool collect_domains(struct postfix_check *check, struct error *err)
{
	struct table_domain domain;
	uint64_t position = 0;

	check->domains =
		arena_alloc(&check->postfix.arena, POSTFIX_CHECK_DOMAINS * sizeof(*check->domains));
	if (check->domains == NULL)
		return error_set_memory(err);
	while (check->domain_count < POSTFIX_CHECK_DOMAINS &&
	       table_next_domain(check->options->table, &position, &domain) == LOOKUP_FOUND)
		if (is_alias_domain(&domain))
			check->domains[check->domain_count++] = domain.name;
	return true;
}

static bool collect_keys(struct postfix_check *check, struct error *err)
{
	struct table_cursor cursor;
	struct table_row row;

	check->keys = arena_alloc(&check->postfix.arena, POSTFIX_CHECK_KEYS * sizeof(*check->keys));
	if (check->keys == NULL)
		return error_set_memory(err);
	table_rows_begin(check->options->table, &cursor);
	while (check->key_count < POSTFIX_CHECK_KEYS &&
	       table_next_row(check->options->table, &cursor, &row) == LOOKUP_FOUND) {
		const char *key;

		if (row.is_catch_all || !is_alias_domain(&row.domain) ||
		    !bytes_are_ascii(row.local) || bytes_contain(row.local, ' '))
			continue;
		key = postfix_check_line(check, BYTES_FORMAT "@" BYTES_FORMAT,
					 BYTES_ARGS(row.local), BYTES_ARGS(row.domain.name));
		check->keys[check->key_count++] = bytes_of(key);
	}
	return true;
}

/* Our socket in the words of main.cf. */
static void name_endpoint(struct postfix_check *check)
{
	const char *queue = postfix_value(&check->postfix, NULL, "queue_directory");
	struct endpoint endpoint;

	/* What can't be parsed was refused with the settings. */
	if (!endpoint_parse(check->options->settings->socket, &endpoint, NULL))
		return;
	if (endpoint.kind == ENDPOINT_UNIX) {
		check->socket_path = endpoint.path;
		if (queue[0] != '\0' && strncmp(check->socket_path, queue, strlen(queue)) == 0 &&
		    check->socket_path[strlen(queue)] == '/')
			check->endpoint = postfix_check_line(
				check, "unix:%s", check->socket_path + strlen(queue) + 1);
	} else if (endpoint.host != NULL) {
		bool is_six = strchr(endpoint.host, ':') != NULL;

		/* Postfix writes the host first. */
		check->endpoint =
			postfix_check_line(check, "inet:%s%s%s:%u", is_six ? "[" : "",
					   endpoint.host, is_six ? "]" : "", endpoint.port);
	}
}

/* ---- the checks that are one line each ------------------------------------------------- */

static void check_globals(struct postfix_check *check)
{
	const struct postfix *postfix = &check->postfix;
	const char *delimiter = postfix_value(postfix, NULL, "recipient_delimiter");
	struct bytes ours = table_rules(check->options->table)->delimiters;

	if (!bytes_equal(ours, bytes_of(delimiter)))
		postfix_check_report(
			check, NULL, "recipient_delimiter",
			postfix_check_line(check, "recipient_delimiter = " BYTES_FORMAT,
					   BYTES_ARGS(ours)),
			"recipient_delimiter is \"%s\", but the table was compiled with "
			"\"" BYTES_FORMAT "\": extensions would be split differently",
			delimiter, BYTES_ARGS(ours));
	if (postfix_is_yes(postfix, NULL, "soft_bounce"))
		postfix_check_report(check, NULL, "soft_bounce", "soft_bounce = no",
				     "soft_bounce turns the refusal of an unknown user into "
				     "\"try again later\"");
}

static void check_service(struct postfix_check *check, const struct postfix_service *service)
{
	if (!postfix_is_yes(&check->postfix, service, "disable_vrfy_command"))
		postfix_check_report(check, service, "disable_vrfy_command",
				     "disable_vrfy_command = yes",
				     "VRFY never reaches a milter: it says yes to every address");
	postfix_check_milters(check, service);
}

static bool is_smtpd(const struct postfix_service *service)
{
	return strcmp(service->command, "smtpd") == 0;
}

static void survey_services(struct postfix_check *check)
{
	const struct postfix *postfix = &check->postfix;

	for (size_t i = 0; i < postfix->service_count; i++) {
		const struct postfix_service *service = &postfix->services[i];

		if (!is_smtpd(service))
			continue;
		check->has_safety_net |=
			strcmp(postfix_value(postfix, service, "milter_macro_daemon_name"),
			       "REINJECT") == 0;
		check->has_filter |= postfix_value(postfix, service, "content_filter")[0] != '\0';
	}
}

static bool check_all(struct postfix_check *check, struct error *err)
{
	size_t smtpds = 0;

	survey_services(check);
	check_globals(check);
	for (size_t i = 0; i < check->postfix.service_count; i++) {
		const struct postfix_service *service = &check->postfix.services[i];

		if (!is_smtpd(service))
			continue;
		smtpds++;
		check_service(check, service);
		if (!postfix_check_restrictions(check, service, err))
			return false;
	}
	if (smtpds == 0)
		postfix_check_report(check, NULL, "", "smtp inet n - y - - smtpd",
				     "master.cf has no smtpd(8) service that could ask a milter");
	postfix_check_non_smtpd(check);
	return postfix_check_domains(check, err);
}

int postfix_check(const struct postfix_check_options *options, struct error *err)
{
	struct postfix_check check = { .options = options, .endpoint = options->settings->socket };
	int status = EX_OK;

	if (!postfix_read(&check.postfix, options->postconf, options->directory, parameters, err)) {
		status = err->status;
		goto out;
	}
	keyset_init(&check.said, &check.postfix.arena, 0);
	name_endpoint(&check);
	if (!collect_domains(&check, err) || !collect_keys(&check, err) || !check_all(&check, err))
		status = err->status;
	else if (check.postfix.lacks_memory) {
		error_fill_memory(err);
		status = EX_OSERR;
	} else if (fflush(options->output) != 0 || ferror(options->output)) {
		error_fill_errno(err, EX_IOERR, "output");
		status = EX_IOERR;
	} else if (check.problems > 0) {
		status = PROBLEMS_FOUND;
	}
out:
	postfix_free(&check.postfix);
	return status;
}
