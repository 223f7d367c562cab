/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint - where a socket is, as a text: parsed, printed and judged.
 *
 *	unix:PATH		a socket file; PATH is absolute
 *	inet:PORT@HOST		IPv4, a name or an address; libmilter's order
 *	inet6:PORT@HOST		IPv6, likewise
 *	fd:N, fd:NAME		a socket that whoever started us has opened, by its number or name
 *
 * Parsing asks nobody and opens nothing. A struct endpoint is a view of the text it was parsed
 * from, and lives as long; being a C string, that has no NUL inside. Thread-safe.
 */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

enum {
	ENDPOINT_PATH_MAX = 106, /* libmilter wants one byte more than connect(2) */
	ENDPOINT_FIRST_FD = 3,   /* those before are stdin, stdout and stderr */
	ENDPOINT_NAME_MAX = 255, /* systemd's limit */
};

enum endpoint_kind { ENDPOINT_UNIX, ENDPOINT_INET, ENDPOINT_INET6, ENDPOINT_FD };

struct endpoint {
	enum endpoint_kind kind;
	const char *path; /* of ENDPOINT_UNIX; else NULL */
	const char *host; /* of ENDPOINT_INET and ENDPOINT_INET6; else NULL */
	unsigned port;    /* 1 to 65535; else 0 */
	int fd;           /* of ENDPOINT_FD by its number; else -1 */
	const char *name; /* of ENDPOINT_FD by its name; else NULL */
};

/* Read TEXT. ERR (status 78) is `"TEXT" what is wrong with it`, to be put behind the name of the
 * setting. A host is not looked up. */
bool endpoint_parse(const char *text, struct endpoint *out_endpoint, struct error *err);

/* Print so that it can be parsed again, with a NUL. False: ROOM is too small. */
bool endpoint_print(const struct endpoint *endpoint, char *out_text, size_t room);

/* Who can reach it, by the network. Only ENDPOINT_THIS_HOST is safe without further thought. */
enum endpoint_reach {
	ENDPOINT_THIS_HOST,     /* a file, a loopback address, "localhost" */
	ENDPOINT_OTHER_HOSTS,   /* any other address */
	ENDPOINT_EVERY_ADDRESS, /* a wildcard: all addresses of this host, now and later */
	ENDPOINT_CANT_TELL,     /* a name that has to be looked up; a descriptor */
};

/* This judges the text alone and believes "localhost". Before you listen, judge the address that
 * the name turned out to have, too. */
enum endpoint_reach endpoint_reach(const struct endpoint *endpoint);

/* What bind(2) and connect(2) want. */
struct endpoint_address {
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_storage room;
	} socket;
	socklen_t size;
};

/* The address of ENDPOINT, which may wait for a name server. Status 78: its host is not known, or
 * it is a descriptor, which needs none. */
bool endpoint_resolve(const struct endpoint *endpoint, struct endpoint_address *out_address,
		      struct error *err);

/* Print the address as the text of an endpoint that has it. False: ROOM is too small, or there is
 * no such text, as for a socket without a path. */
bool endpoint_address_print(const struct endpoint_address *address, char *out_text, size_t room);

/* The same judgement of an address. */
enum endpoint_reach endpoint_address_reach(const struct endpoint_address *address);

#endif
