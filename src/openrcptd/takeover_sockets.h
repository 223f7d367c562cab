/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * takeover_sockets - sockets, where the program that takes over has settings with other ones.
 *
 * A part of takeover.c: each is opened beside the one of before, and takes its place, or that one
 * stays, which is logged, and then stands in the settings.
 */
#ifndef OPENRCPTD_TAKEOVER_SOCKETS_H
#define OPENRCPTD_TAKEOVER_SOCKETS_H

#include <limits.h>

#include "openrcptd/master_inside.h"

/* Settings of the program before, as long as the call. */
struct takeover_before {
	const char *user;
	const char *socket;
	const char *control; /* the path of its socket */
	const char *metrics;
};

/* Where the control socket is by these SETTINGS. */
void takeover_control_path(const struct settings *settings, char out_path[PATH_MAX]);

/* MASTER has the sockets of BEFORE and its new settings. The milter's socket of before stays, too,
 * until a worker serves the other one. */
void takeover_change_sockets(const struct takeover_before *before, struct master *master);

#endif
