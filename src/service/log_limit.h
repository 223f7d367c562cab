/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_limit - how many lines of one kind the log takes, so that trouble that repeats can't fill it.
 *
 * Of each kind LOG_LIMIT_LINES are written in LOG_LIMIT_SECONDS, counted from its first line; what
 * comes then is left out, and how much that was is to be told once the time is over. What a kind
 * is: log_limit_kind(). At most LOG_LIMIT_KINDS are told apart at a time, and whatever more there
 * are count as one, so that memory is bounded however many kinds an outsider can make.
 *
 * Time is given in seconds of the monotonic clock. Nothing is allocated and nothing fails. Not
 * thread-safe: the log has a lock.
 */
#ifndef SERVICE_LOG_LIMIT_H
#define SERVICE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	LOG_LIMIT_LINES = 10, /* a burst that one person reads */
	LOG_LIMIT_SECONDS = 10,
	LOG_LIMIT_KINDS = 64, /* more than this program has */
	LOG_LIMIT_SAMPLE_BYTES = 160,
};

struct log_kind {
	uint64_t kind;
	int64_t began; /* when its first line came */
	uint64_t written;
	uint64_t left_out; /* not told yet */
	int severity;
	char sample[LOG_LIMIT_SAMPLE_BYTES]; /* the first line that was left out, cut */
};

/* All zeros: nothing was written yet. The last place is for kinds that have none of their own. */
struct log_limit {
	struct log_kind kinds[LOG_LIMIT_KINDS + 1];
};

/* Which kind the LINE is that FORMAT made: lines of one format are of one kind, but for the format
 * "%s", which any text comes through: there a kind is a text, whatever the numbers in it. */
uint64_t log_limit_kind(const char *format, struct bytes line);

/* May LINE be written NOW? If not, it is counted. */
bool log_limit_admits(struct log_limit *limit, uint64_t kind, int severity, struct bytes line,
		      int64_t now);

/* A kind whose time is over before NOW, and of which lines were left out; they count as told.
 * OUT_KIND gets a copy. False: there is none. */
bool log_limit_take(struct log_limit *limit, int64_t now, struct log_kind *out_kind);

#endif
