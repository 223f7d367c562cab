/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace - the steps of one resolution as debug lines of the log, for `openrcptd -d`.
 *
 * Each line begins with the recipient, since lines of several sessions come between each other.
 * Where the log takes no debug lines nothing is done, and resolving costs nothing more.
 */
#ifndef MESSAGE_TRACE_H
#define MESSAGE_TRACE_H

#include "base/buffer.h"
#include "resolve/resolve.h"

struct trace {
	const struct table *table;
	struct bytes recipient;
};

/* Have OPTIONS tell TRACE what happens to RECIPIENT, as it was sent. All stay until it is over. */
void trace_begin(struct trace *trace, const struct table *table, struct bytes recipient,
		 struct resolve_options *options);

/* Append the place of an entry as one word: `virtual:12`; of a database, whose name has a blank,
 * `postgresql:main:alias:4711`. Failures are marked. */
void trace_place(struct bytes source, uint32_t line, struct buffer *out_line);

/* What came out. */
void trace_end(const struct trace *trace, const struct resolution *resolution);

#endif
