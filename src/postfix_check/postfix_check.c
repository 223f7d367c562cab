/* SPDX-License-Identifier: BSD-2-Clause */
#include "postfix_check/postfix_check.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "postfix_check/postfix_check_inside.h"
#include "postfix/postfix_words.h"

enum { PROBLEMS_FOUND = 1 }; /* exit status */

/* ---- what to look for ------------------------------------------------------------------ */

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

/* ---- services -------------------------------------------------------------------------- */

static void survey_services(struct postfix_check *check)
{
	const struct postfix *postfix = &check->postfix;

	for (size_t i = 0; i < postfix->service_count; i++) {
		const struct postfix_service *service = &postfix->services[i];

		if (!postfix_check_is_smtpd(service))
			continue;
		check->services++;
		if (strcmp(postfix_value(postfix, service, "milter_macro_daemon_name"),
			   "REINJECT") == 0)
			check->net = service;
		check->has_filter |= postfix_value(postfix, service, "content_filter")[0] != '\0';
	}
}

/* Where a socket is that systemd has made only a running daemon knows. */
static bool check_setting(const struct settings *settings, struct error *err)
{
	struct endpoint endpoint;

	if (!endpoint_parse(settings->socket, &endpoint, err))
		return false;
	if (endpoint.kind != ENDPOINT_FD)
		return true;
	return error_set(err, EX_CONFIG,
			 "socket: \"%s\" doesn't say where the MTA reaches it: give this check a "
			 "configuration that does",
			 settings->socket);
}

static bool check_services(struct postfix_check *check, struct error *err)
{
	survey_services(check);
	for (size_t i = 0; i < check->postfix.service_count; i++) {
		const struct postfix_service *service = &check->postfix.services[i];

		if (!postfix_check_is_smtpd(service))
			continue;
		postfix_check_service(check, service);
		if (!postfix_check_milters(check, service, err) ||
		    !postfix_check_restrictions(check, service, err))
			return false;
	}
	if (check->services == 0)
		postfix_check_report(check, NULL, "",
				     "postconf -M 'smtp/inet=smtp inet n - y - - smtpd'",
				     "master.cf has no smtpd(8) service that could ask a milter");
	postfix_check_non_smtpd(check);
	return true;
}

/* ---- the whole ------------------------------------------------------------------------- */

static void say_success(const struct postfix_check *check)
{
	size_t domains = check->alias.count + check->mailbox.count;

	if (check->problems == 0 && check->notes == 0 && isatty(fileno(check->options->output)))
		(void)fprintf(check->options->output, /* ferror() below */
			      "%zu domain%s, %u service%s: nothing wrong\n", domains,
			      domains == 1 ? "" : "s", check->services,
			      check->services == 1 ? "" : "s");
}

static bool check_all(struct postfix_check *check, struct error *err)
{
	if (!postfix_check_collect(check, &check->alias, err) ||
	    !postfix_check_collect(check, &check->mailbox, err) ||
	    !postfix_check_globals(check, err) || !check_services(check, err) ||
	    !postfix_check_domains(check, err) || !postfix_check_leads(check, err))
		return false;
	postfix_check_socket(check);
	if (check->postfix.lacks_memory)
		return error_set_memory(err);
	say_success(check);
	return (fflush(check->options->output) == 0 && !ferror(check->options->output)) ||
	       error_set_errno(err, EX_IOERR, "output");
}

int postfix_check(const struct postfix_check_options *options, struct error *err)
{
	struct postfix_check check = {
		.options = options,
		.endpoint = options->settings->socket,
		.alias = { .flag = TABLE_DOMAIN_ALIAS, .what = "alias" },
		.mailbox = { .flag = TABLE_DOMAIN_MAILBOX, .what = "mailbox" },
	};
	int status = EX_OK;

	if (!check_setting(options->settings, err))
		return err->status;
	if (!postfix_read(&check.postfix, options->postconf, options->directory, err)) {
		status = err->status;
		goto out;
	}
	keyset_init(&check.said, &check.postfix.arena, table_seed(options->table));
	name_endpoint(&check);
	if (!check_all(&check, err))
		status = err->status;
	else if (check.problems > 0)
		status = PROBLEMS_FOUND;
out:
	postfix_free(&check.postfix);
	return status;
}
