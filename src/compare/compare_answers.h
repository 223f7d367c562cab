/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare_answers - do two tables give one answer to an address?
 */
#ifndef COMPARE_COMPARE_ANSWERS_H
#define COMPARE_COMPARE_ANSWERS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "resolve/resolve.h"
#include "settings/settings.h"

struct compare_answers {
	const struct table *tables[2]; /* old, new */
	struct resolve_options options;
	struct arena arenas[2];
	struct resolution resolutions[2];
};

/* The tables and SETTINGS are borrowed. */
void compare_answers_init(struct compare_answers *compare, const struct table *old,
			  const struct table *new, const struct settings *settings);
void compare_answers_free(struct compare_answers *compare);

/*
 * Resolve the address of a key in both tables and compare verdicts and recipients, in order. A bare
 * user is asked for at each table's origin; for a catch-all (LOCAL is empty) some user is asked for
 * that no table lists.
 */
bool compare_answers_equal(struct compare_answers *compare, struct bytes local,
			   struct bytes domain);

/* Could one of the two not be told, for want of memory? Then they aren't equal, whatever they say.
 */
bool compare_answers_lack_memory(const struct compare_answers *compare);

/* Put the answer that SIDE gave into OUT, in place of what is there. */
void compare_answers_print(const struct compare_answers *compare, int side, struct buffer *out);

#endif
