/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recent - how many recipients and messages were answered, and deferred, in the last quarter of an
 * hour.
 *
 * The counters go on from the start of the service: after a month of quiet they hide an hour in
 * which all is deferred, and the deferrals of a bad hour stay in sight for a month. So whoever
 * lives as long as the counters (the master) notes them each minute, and the difference tells. For
 * one thread; nothing is counted twice, and mail does nothing for it. Times are seconds of a clock
 * that never goes back.
 */
#ifndef MESSAGE_RECENT_H
#define MESSAGE_RECENT_H

#include <stddef.h>
#include <stdint.h>

enum {
	RECENT_SECONDS = 900,
	RECENT_STEP_SECONDS = 60,
	RECENT_NOTES = RECENT_SECONDS / RECENT_STEP_SECONDS + 2,
};

struct recent_counts {
	int64_t at;
	uint64_t recipients; /* those that no message was open for, too */
	uint64_t deferred;   /* of these */
	uint64_t messages;   /* at their end */
	uint64_t messages_deferred;
};

struct recent {
	struct recent_counts notes[RECENT_NOTES]; /* a ring */
	size_t count;                             /* that were ever made */
};

/* What the counters say now. */
struct recent_counts recent_counters(int64_t now);

/* Begin with NOW: what was counted before isn't recent. */
void recent_init(struct recent *recent, const struct recent_counts *now);

/* Keep NOW if the last note is a minute old. To be called at least as often. */
void recent_note(struct recent *recent, const struct recent_counts *now);

/* What has come since the last note that is RECENT_SECONDS old, or since the first one; `at` is how
 * many seconds ago that was. */
struct recent_counts recent_since(const struct recent *recent, const struct recent_counts *now);

#endif
