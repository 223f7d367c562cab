/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter - which system calls a process may make, by seccomp.
 *
 * A list of what is allowed: calls.def, and what filter.c says of arguments. Whatever else is asked
 * of the kernel fails with EPERM, as if it weren't permitted: a list that is too short costs one
 * function, never the process. And the kernel logs it (audit, type=1326), once for each refusal;
 * nobody could do so in the process itself, which doesn't learn of it. clone3 is refused with
 * ENOSYS, and not logged: its arguments can't be seen, and the C library then takes clone.
 */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <stdbool.h>

#include "base/error.h"
#include "sandbox/profile.h"

enum filter_support {
	FILTER_NOT_BUILT, /* configure --without-seccomp */
	FILTER_NO_KERNEL,
	FILTER_SUPPORTED,
};

enum filter_support filter_support(void);

/* From now on, for this thread and all that it starts, for good. no-new-privileges must be set.
 * HAS_TCP: TCP sockets are allowed, too. */
bool filter_enforce(enum sandbox_profile profile, bool has_tcp, struct error *err);

#endif
