/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a socket is. Whatever is accepted must be the same when it is printed and parsed again, and
 * be within its limits. No host is looked up.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): NDEBUG must not make this target blind. */
static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static bool are_same_texts(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_limits(const struct endpoint *endpoint)
{
	struct endpoint_address address;
	struct error err;

	switch (endpoint->kind) {
	case ENDPOINT_UNIX:
		must(endpoint->path[0] == '/', "a path is absolute");
		must(endpoint_resolve(endpoint, &address, &err), "a path fits into an address");
		must(endpoint_reach(endpoint) == ENDPOINT_THIS_HOST, "a path is of this host");
		break;
	case ENDPOINT_INET:
	case ENDPOINT_INET6:
		must(endpoint->port >= 1 && endpoint->port <= 65535, "a port is one");
		must(endpoint->host[0] != '\0', "there is a host");
		break;
	case ENDPOINT_FD:
		must(endpoint->name != NULL || endpoint->fd >= ENDPOINT_FIRST_FD,
		     "a descriptor is not a standard one");
		must(endpoint_reach(endpoint) == ENDPOINT_CANT_TELL, "a descriptor says nothing");
		break;
	}
}

static void print_and_parse(const struct endpoint *endpoint, size_t size)
{
	size_t room = size + 16;
	char *text = malloc(room);
	struct endpoint again;
	struct error err;

	must(text != NULL && endpoint_print(endpoint, text, room), "it can be printed");
	must(endpoint_parse(text, &again, &err), "what is printed can be parsed");
	must(again.kind == endpoint->kind && again.port == endpoint->port &&
		     again.fd == endpoint->fd && are_same_texts(again.path, endpoint->path) &&
		     are_same_texts(again.host, endpoint->host) &&
		     are_same_texts(again.name, endpoint->name),
	     "what is printed is the same");
	must(endpoint_reach(&again) == endpoint_reach(endpoint), "and is judged the same");
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct endpoint endpoint;
	struct error err;
	bool is_good;

	must(text != NULL, "there is memory");
	is_good = endpoint_parse(text, &endpoint, &err);
	if (is_good) {
		check_limits(&endpoint);
		print_and_parse(&endpoint, size);
	} else {
		must(err.text[0] != '\0', "a refusal says why");
	}
	free(text);
	return is_good ? 0 : -1;
}
