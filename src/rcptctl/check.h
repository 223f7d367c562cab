/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - is all well? As monitoring plugins say it: one line, performance data, an exit status.
 */
#ifndef RCPTCTL_CHECK_H
#define RCPTCTL_CHECK_H

#include "rcptctl/client.h"
#include "service/plugin.h"

/* From which value on; negative: never. */
struct check_limit {
	double warning;
	double critical;
};

struct check_limits {
	struct check_limit age_seconds;      /* of the table */
	struct check_limit deferred_percent; /* of the last quarter of an hour, of recipients or of
					      * messages at their end: whichever is more */
	struct check_limit sessions_percent; /* of max_sessions */
};

#define CHECK_LIMITS_DEFAULT                                                                       \
	((struct check_limits){                                                                    \
		.age_seconds = { -1, -1 },                                                         \
		.deferred_percent = { 5, 20 },                                                     \
		.sessions_percent = { 80, 95 },                                                    \
	})

/* Append the line. STATUS is the daemon's answer to this request. */
enum plugin_state check_judge(const struct client_answer *status, const struct check_limits *limits,
			      struct buffer *out);

/* Append the line where it isn't known, or only that no daemon answers: STATE, for TEXT. */
void check_fail(enum plugin_state state, const char *text, struct buffer *out);

#endif
