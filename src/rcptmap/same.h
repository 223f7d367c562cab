/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * same - do two tables give one answer to an address?
 */
#ifndef RCPTMAP_SAME_H
#define RCPTMAP_SAME_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "resolve/resolve.h"
#include "settings/settings.h"

struct same {
	const struct table *tables[2]; /* old, new */
	struct resolve_limits limits;
	struct resolve_options options;
	struct arena arenas[2];
	struct resolution resolutions[2];
};

void same_init(struct same *same, const struct table *old, const struct table *new,
	       const struct settings *settings);
void same_free(struct same *same);

/*
 * Resolve the address of a key in both tables and compare verdicts and recipients, in order. A bare
 * user is asked for at each table's origin; for a catch-all (LOCAL is empty) some user is asked for
 * that no table lists.
 */
bool same_answers(struct same *same, struct bytes local, struct bytes domain);

/* Put the answer that SIDE gave into OUT, in place of what is there. */
void same_print(const struct same *same, int side, struct buffer *out);

#endif
