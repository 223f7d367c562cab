/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <sysexits.h>

#include "mail/address_class.h"
#include "mail/fold.h"

enum {
	LOCAL_BYTES_MAX = 240,
	LABEL_BYTES_MAX = 63,
	DOMAIN_BYTES_MAX = 255,
};

/* ERR gets the domain as it is shown to humans, and what is wrong with it. */
static bool refuse_domain(struct bytes domain, const char *reason, struct error *err)
{
	struct buffer shown;

	buffer_init(&shown, 1024);
	(void)address_escape(domain, true, &shown); /* short of memory the name is missing */
	error_fill(err, EX_DATAERR, "the domain \"" BYTES_FORMAT "\" %s",
		   BYTES_ARGS(buffer_bytes(&shown)), reason);
	buffer_free(&shown);
	return false;
}

static bool is_literal(struct bytes domain)
{
	static const char prefix[] = "IPv6:";
	unsigned char binary[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];
	struct bytes inner;
	int family = AF_INET;

	if (domain.size < 2 || domain.data[domain.size - 1] != ']')
		return false;
	inner = bytes_make(domain.data + 1, domain.size - 2);
	if (bytes_equal_ascii_nocase(bytes_first(inner, sizeof(prefix) - 1), bytes_of(prefix))) {
		inner = bytes_skip(inner, sizeof(prefix) - 1);
		family = AF_INET6;
	}
	if (inner.size == 0 || inner.size >= sizeof(text) || bytes_contain(inner, '\0'))
		return false;
	memcpy(text, inner.data, inner.size);
	text[inner.size] = '\0';
	return inet_pton(family, text, binary) == 1;
}

static const char *label_fault(struct bytes label)
{
	if (label.size == 0)
		return "has an empty label";
	if (label.size > LABEL_BYTES_MAX)
		return "has a label of more than 63 bytes";
	if (label.data[0] == '-' || label.data[label.size - 1] == '-')
		return "has a label that begins or ends with \"-\"";
	for (size_t i = 0; i < label.size; i++)
		if (!address_is_class(label.data[i], CLASS_HOST))
			return "has a byte in it that no host name has";
	return NULL;
}

static bool is_number(struct bytes label)
{
	for (size_t i = 0; i < label.size; i++)
		if (label.data[i] < '0' || label.data[i] > '9')
			return false;
	return true;
}

static const char *host_fault(struct bytes host)
{
	struct bytes rest = host;
	bool is_last = false;

	if (host.size > DOMAIN_BYTES_MAX)
		return "is longer than 255 bytes";
	while (!is_last) {
		size_t dot = bytes_index(rest, '.');
		struct bytes label = bytes_first(rest, dot);
		const char *fault = label_fault(label);

		if (fault != NULL)
			return fault;
		is_last = dot == rest.size;
		if (is_last && is_number(label))
			return "ends with a number; an IP address needs brackets around it";
		rest = bytes_skip(rest, dot + 1);
	}
	return NULL;
}

/* A domain that isn't ASCII is judged as the A-label that it will be sent as. */
static bool check_international(struct bytes domain, struct error *err)
{
	struct arena arena;
	struct bytes key;
	enum fold_outcome outcome;
	const char *fault = "is no internationalized domain name (IDNA2008)";

	/* fold_domain() drops a dot at the end, but the caller has dropped the one that is
	 * allowed. */
	if (domain.data[domain.size - 1] == '.')
		return refuse_domain(domain, "has an empty label", err);
	arena_init(&arena, SIZE_MAX);
	outcome = fold_domain(domain, &arena, &key);
	if (outcome == FOLD_OK)
		fault = host_fault(key);
	arena_free(&arena);
	if (outcome == FOLD_NO_MEMORY)
		return error_set_memory(err);
	return fault == NULL || refuse_domain(domain, fault, err);
}

static bool check_domain(struct bytes domain, struct error *err)
{
	const char *fault;

	if (domain.data[0] == '[')
		return is_literal(domain) ||
		       refuse_domain(domain, "is no address literal of IPv4 or IPv6", err);
	if (!bytes_are_ascii(domain))
		return check_international(domain, err);
	fault = host_fault(domain);
	return fault == NULL || refuse_domain(domain, fault, err);
}

bool address_check(const struct address *address, struct error *err)
{
	if (address->local.size == 0)
		return error_set(err, EX_DATAERR, "the local part is empty");
	if (address->local.size > LOCAL_BYTES_MAX)
		return error_set(err, EX_DATAERR, "the local part is longer than %d bytes",
				 (int)LOCAL_BYTES_MAX);
	/* Postfix bounces these at once: they could become an option of some program. */
	if (address->local.data[0] == '-')
		return error_set(err, EX_DATAERR, "the local part begins with \"-\"");
	/* With a colon Postfix takes it for a source route even where it is quoted. */
	if (address->local.data[0] == '@')
		return error_set(err, EX_DATAERR, "the local part begins with \"@\"");
	if (!fold_accepts(address->local))
		return error_set(err, EX_DATAERR,
				 "the local part has control bytes, invalid UTF-8 "
				 "or bidirectional controls in it");
	return address->domain.size == 0 || check_domain(address->domain, err);
}

/* Names that Postfix never splits. */
static bool is_indivisible(struct bytes local, bool has_hyphen)
{
	static const char owner[] = "owner-", request[] = "-request";
	size_t request_size = sizeof(request) - 1;

	if (bytes_equal_ascii_nocase(local, bytes_of("postmaster")) ||
	    bytes_equal_ascii_nocase(local, bytes_of("mailer-daemon")) ||
	    bytes_equal_ascii_nocase(local, bytes_of("double-bounce")))
		return true;
	if (!has_hyphen)
		return false;
	if (bytes_equal_ascii_nocase(bytes_first(local, sizeof(owner) - 1), bytes_of(owner)))
		return true;
	return local.size > request_size &&
	       bytes_equal_ascii_nocase(bytes_skip(local, local.size - request_size),
					bytes_of(request));
}

bool address_split_extension(struct bytes local, struct bytes delimiters, struct bytes *out_user,
			     struct bytes *out_extension)
{
	size_t split = local.size;

	for (size_t i = 0; i < delimiters.size; i++) {
		size_t found = bytes_index(bytes_first(local, split), delimiters.data[i]);

		split = found < split ? found : split;
	}
	if (split == 0 || split == local.size ||
	    is_indivisible(local, bytes_contain(delimiters, '-')))
		return false;
	*out_user = bytes_first(local, split);
	*out_extension = bytes_skip(local, split);
	return true;
}
