/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

enum { PORT_MAX = 65535 };

/* ---- parsing ------------------------------------------------------------------------------ */

/* What stands behind PREFIX in TEXT; NULL: something else. */
static const char *behind(const char *text, const char *prefix)
{
	size_t size = strlen(prefix);

	return strncmp(text, prefix, size) == 0 ? text + size : NULL;
}

/* The digits from TEXT to END as a number from LEAST to MOST. */
static bool read_number(const char *text, const char *end, int least, int most, int *out_number)
{
	int number = 0;

	if (text == end)
		return false;
	for (; text < end; text++) {
		int digit = *text - '0';

		if (digit < 0 || digit > 9 || number > (most - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*out_number = number;
	return number >= least;
}

static bool wrong(const char *text, const char *what, struct error *err)
{
	return error_set(err, EX_CONFIG, "\"%s\" %s", text, what);
}

static bool parse_path(const char *text, const char *path, struct endpoint *out_endpoint,
		       struct error *err)
{
	if (path[0] != '/')
		return wrong(text, "is not an absolute path", err);
	if (strlen(path) > ENDPOINT_PATH_MAX)
		return error_set(err, EX_CONFIG, "\"%s\" is longer than the %d bytes of a socket",
				 text, ENDPOINT_PATH_MAX);
	*out_endpoint = (struct endpoint){ .kind = ENDPOINT_UNIX, .path = path, .fd = -1 };
	return true;
}

static bool parse_port_at_host(const char *text, const char *port, enum endpoint_kind kind,
			       struct endpoint *out_endpoint, struct error *err)
{
	const char *at = strchr(port, '@');
	int number;

	/* Without a host libmilter listens on every address there is. */
	if (at == NULL || at[1] == '\0')
		return wrong(text, "names no host, as in inet:8894@127.0.0.1", err);
	if (!read_number(port, at, 1, PORT_MAX, &number))
		return wrong(text, "has no port from 1 to 65535", err);
	*out_endpoint = (struct endpoint){
		.kind = kind, .host = at + 1, .port = (unsigned)number, .fd = -1
	};
	return true;
}

/* Letters first, so that it can't be a number that is out of range. */
static bool is_name(const char *text)
{
	size_t size = strlen(text);

	return isalpha((unsigned char)text[0]) != 0 && size <= ENDPOINT_NAME_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789._-") == size;
}

static bool parse_descriptor(const char *text, const char *number, struct endpoint *out_endpoint,
			     struct error *err)
{
	int fd;

	if (is_name(number)) {
		*out_endpoint = (struct endpoint){ .kind = ENDPOINT_FD, .name = number, .fd = -1 };
		return true;
	}
	if (!read_number(number, number + strlen(number), ENDPOINT_FIRST_FD, INT_MAX, &fd))
		return wrong(text, "has neither a descriptor from 3 on nor a name", err);
	*out_endpoint = (struct endpoint){ .kind = ENDPOINT_FD, .fd = fd };
	return true;
}

bool endpoint_parse(const char *text, struct endpoint *out_endpoint, struct error *err)
{
	const char *rest;

	if ((rest = behind(text, "unix:")) != NULL)
		return parse_path(text, rest, out_endpoint, err);
	if ((rest = behind(text, "inet:")) != NULL)
		return parse_port_at_host(text, rest, ENDPOINT_INET, out_endpoint, err);
	if ((rest = behind(text, "inet6:")) != NULL)
		return parse_port_at_host(text, rest, ENDPOINT_INET6, out_endpoint, err);
	if ((rest = behind(text, "fd:")) != NULL)
		return parse_descriptor(text, rest, out_endpoint, err);
	return wrong(text, "is none of unix:PATH, inet:PORT@HOST, inet6:PORT@HOST", err);
}

/* ---- printing ----------------------------------------------------------------------------- */

bool endpoint_print(const struct endpoint *endpoint, char *out_text, size_t room)
{
	int size = -1;

	switch (endpoint->kind) {
	case ENDPOINT_UNIX:
		size = snprintf(out_text, room, "unix:%s", endpoint->path);
		break;
	case ENDPOINT_INET:
		size = snprintf(out_text, room, "inet:%u@%s", endpoint->port, endpoint->host);
		break;
	case ENDPOINT_INET6:
		size = snprintf(out_text, room, "inet6:%u@%s", endpoint->port, endpoint->host);
		break;
	case ENDPOINT_FD:
		size = endpoint->name != NULL ? snprintf(out_text, room, "fd:%s", endpoint->name)
					      : snprintf(out_text, room, "fd:%d", endpoint->fd);
		break;
	}
	return size >= 0 && (size_t)size < room;
}

bool endpoint_address_print(const struct endpoint_address *address, char *out_text, size_t room)
{
	char host[INET6_ADDRSTRLEN];
	int size = -1;

	switch (address->socket.any.sa_family) {
	case AF_UNIX:
		/* One without a name, or with an abstract one, has no path. */
		if (address->size > offsetof(struct sockaddr_un, sun_path) &&
		    address->socket.local.sun_path[0] == '/')
			size = snprintf(out_text, room, "unix:%s", address->socket.local.sun_path);
		break;
	case AF_INET:
		if (inet_ntop(AF_INET, &address->socket.four.sin_addr, host, sizeof(host)) != NULL)
			size = snprintf(out_text, room, "inet:%u@%s",
					ntohs(address->socket.four.sin_port), host);
		break;
	case AF_INET6:
		if (inet_ntop(AF_INET6, &address->socket.six.sin6_addr, host, sizeof(host)) != NULL)
			size = snprintf(out_text, room, "inet6:%u@%s",
					ntohs(address->socket.six.sin6_port), host);
		break;
	default:
		break;
	}
	return size >= 0 && (size_t)size < room;
}

/* ---- judging ------------------------------------------------------------------------------ */

static enum endpoint_reach reach_of_four(struct in_addr four)
{
	in_addr_t number = ntohl(four.s_addr);

	if (number >> 24 == IN_LOOPBACKNET)
		return ENDPOINT_THIS_HOST;
	return number == INADDR_ANY ? ENDPOINT_EVERY_ADDRESS : ENDPOINT_OTHER_HOSTS;
}

static enum endpoint_reach reach_of_six(const struct in6_addr *six)
{
	if (IN6_IS_ADDR_LOOPBACK(six))
		return ENDPOINT_THIS_HOST;
	return IN6_IS_ADDR_UNSPECIFIED(six) ? ENDPOINT_EVERY_ADDRESS : ENDPOINT_OTHER_HOSTS;
}

static enum endpoint_reach reach_of_name(const char *host)
{
	return strcasecmp(host, "localhost") == 0 ? ENDPOINT_THIS_HOST : ENDPOINT_CANT_TELL;
}

enum endpoint_reach endpoint_reach(const struct endpoint *endpoint)
{
	struct in_addr four;
	struct in6_addr six;

	switch (endpoint->kind) {
	case ENDPOINT_UNIX:
		return ENDPOINT_THIS_HOST;
	case ENDPOINT_INET:
		return inet_pton(AF_INET, endpoint->host, &four) == 1
			       ? reach_of_four(four)
			       : reach_of_name(endpoint->host);
	case ENDPOINT_INET6:
		return inet_pton(AF_INET6, endpoint->host, &six) == 1
			       ? reach_of_six(&six)
			       : reach_of_name(endpoint->host);
	case ENDPOINT_FD:
		break;
	}
	return ENDPOINT_CANT_TELL;
}

enum endpoint_reach endpoint_address_reach(const struct endpoint_address *address)
{
	switch (address->socket.any.sa_family) {
	case AF_UNIX:
		return ENDPOINT_THIS_HOST;
	case AF_INET:
		return reach_of_four(address->socket.four.sin_addr);
	case AF_INET6:
		return reach_of_six(&address->socket.six.sin6_addr);
	default:
		return ENDPOINT_CANT_TELL;
	}
}

/* ---- addresses ---------------------------------------------------------------------------- */

static bool resolve_host(const struct endpoint *endpoint, struct endpoint_address *out_address,
			 struct error *err)
{
	const struct addrinfo hints = {
		.ai_family = endpoint->kind == ENDPOINT_INET ? AF_INET : AF_INET6,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *found;
	char port[16];
	int number;

	(void)snprintf(port, sizeof(port), "%u", endpoint->port); /* fits */
	number = getaddrinfo(endpoint->host, port, &hints, &found);
	if (number != 0)
		return error_set(err, EX_CONFIG, "\"%s\": %s", endpoint->host,
				 gai_strerror(number));
	*out_address = (struct endpoint_address){ .size = found->ai_addrlen };
	memcpy(&out_address->socket.room, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return true;
}

bool endpoint_resolve(const struct endpoint *endpoint, struct endpoint_address *out_address,
		      struct error *err)
{
	switch (endpoint->kind) {
	case ENDPOINT_UNIX:
		*out_address =
			(struct endpoint_address){ .size = sizeof(out_address->socket.local) };
		out_address->socket.local.sun_family = AF_UNIX;
		memcpy(out_address->socket.local.sun_path, endpoint->path,
		       strlen(endpoint->path) + 1);
		return true;
	case ENDPOINT_INET:
	case ENDPOINT_INET6:
		return resolve_host(endpoint, out_address, err);
	case ENDPOINT_FD:
		break;
	}
	return error_set(err, EX_CONFIG, "a descriptor has no address to open");
}
