/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - is all well? As monitoring plugins say it: one line, performance data, an exit status.
 *
 * The convention is that of the Monitoring Plugins' development guidelines.
 */
#ifndef RCPTCTL_CHECK_H
#define RCPTCTL_CHECK_H

#include "rcptctl/client.h"

enum check_state { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

/* From which value on; negative: never. */
struct check_limit {
	double warning;
	double critical;
};

struct check_limits {
	struct check_limit age_seconds;      /* of the table */
	struct check_limit deferred_percent; /* of the recipients of the last quarter of an hour */
	struct check_limit sessions_percent; /* of max_sessions */
};

#define CHECK_LIMITS_DEFAULT                                                                       \
	((struct check_limits){                                                                    \
		.age_seconds = { -1, -1 },                                                         \
		.deferred_percent = { 5, 20 },                                                     \
		.sessions_percent = { 80, 95 },                                                    \
	})

/* Append the line. STATUS is the daemon's answer to this request. */
enum check_state check_judge(const struct client_answer *status, const struct check_limits *limits,
			     struct buffer *out);

/* The word for STATE. */
const char *check_name(enum check_state state);

#endif
