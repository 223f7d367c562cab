/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits - how far one recipient may lead.
 *
 * On its own, so that the settings can hold them as they are: whoever resolves takes them from
 * there and copies nothing.
 */
#ifndef RESOLVE_LIMITS_H
#define RESOLVE_LIMITS_H

#include <stddef.h>

struct resolve_limits {
	size_t expansion;     /* recipients of one alias, counted as Postfix does */
	size_t recursion;     /* N allows N-1 hops, as Postfix counts */
	size_t address_bytes; /* internal form */
};

#endif
