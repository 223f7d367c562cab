/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_check_services - what a service of master.cf is there for.
 */
#include <string.h>

#include "postfix_check/postfix_check_inside.h"

bool postfix_check_is_smtpd(const struct postfix_service *service)
{
	return strcmp(service->command, "smtpd") == 0;
}

static bool is_loopback(const char *service)
{
	return strncmp(service, "127.", 4) == 0 || strncmp(service, "localhost:", 10) == 0 ||
	       strncmp(service, "[::1]:", 6) == 0 || strncmp(service, "::1:", 4) == 0;
}

/* Where clients of other hosts come in, whatever a filter does. */
static bool is_public(const char *service)
{
	static const char *const ports[] = { "smtp",  "25",  "submission",  "587",
					     "smtps", "465", "submissions", "smtpd" };
	struct bytes name = bytes_first(bytes_of(service), bytes_index(bytes_of(service), '/'));

	for (size_t i = name.size; i > 0; i--)
		if (name.data[i - 1] == ':') {
			name = bytes_skip(name, i);
			break;
		}
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (bytes_equal(name, bytes_of(ports[i])))
			return true;
	return false;
}

bool postfix_check_is_reinjection(const struct postfix_check *check,
				  const struct postfix_service *service)
{
	if (!check->has_filter || service == check->net ||
	    postfix_value(&check->postfix, service, "content_filter")[0] != '\0')
		return false;
	return is_loopback(service->name) ||
	       (!is_public(service->name) &&
		postfix_overrides(&check->postfix, service, "content_filter"));
}
