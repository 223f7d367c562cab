/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address.h"

bool address_complete_domain(struct bytes domain, struct bytes origin, struct bytes dot_domain,
			     struct arena *arena, struct bytes *out_domain)
{
	char *joined;

	if (domain.size == 0) {
		*out_domain = origin;
		return true;
	}
	if (dot_domain.size == 0 || bytes_contain(domain, '.') || domain.data[0] == '[') {
		*out_domain = domain;
		return true;
	}
	joined = arena_alloc(arena, domain.size + 1 + dot_domain.size);
	if (joined == NULL)
		return false;
	memcpy(joined, domain.data, domain.size);
	joined[domain.size] = '.';
	memcpy(joined + domain.size + 1, dot_domain.data, dot_domain.size);
	*out_domain = bytes_make(joined, domain.size + 1 + dot_domain.size);
	return true;
}
