/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain - addresses that need no thought: `user@domain.example`, an ASCII dot-atom and a lower-case
 * host name. Nearly all of a large table; what isn't plain goes the thorough way, which decides the
 * same for these.
 */
#ifndef COMPILE_PLAIN_H
#define COMPILE_PLAIN_H

#include <stddef.h>

#include "base/bytes.h"

struct plain_address {
	struct bytes local;
	struct bytes domain;
	bool has_upper;		/* in the local part */
};

/* Read one address at the begin of TEXT; its size, or 0: not plain. It may end anywhere. */
size_t plain_address(struct bytes text, struct plain_address *out_address);

#endif
