/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/address.h"

bool address_complete_domain(struct bytes domain, struct bytes origin, struct bytes dot_domain,
			     struct arena *arena, struct bytes *out_domain)
{
	const struct bytes parts[] = { domain, bytes_of("."), dot_domain };

	if (domain.size == 0) {
		*out_domain = origin;
		return true;
	}
	if (dot_domain.size == 0 || bytes_contain(domain, '.') || domain.data[0] == '[') {
		*out_domain = domain;
		return true;
	}
	return arena_join(arena, parts, 3, out_domain);
}
