/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - an answer as people or programs read it.
 */
#ifndef RCPTCTL_REPORT_H
#define RCPTCTL_REPORT_H

#include <stdbool.h>

#include "follow/follow_state.h"
#include "rcptctl/client.h"
#include "table/table.h"

/* Append a line a value, or one JSON object. Only names that are in ONLY (ended by NULL), where it
 * isn't NULL. What TABLE was made of follows, unless it is NULL, and what WATCH says of databases,
 * likewise. Failures are the buffer's. */
void report_values(const struct client_answer *answer, const char *const *only,
		   const struct table *table, const struct follow_state *watch, bool is_json,
		   struct buffer *out);

#endif
