/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/recent.h"

#include "message/counters.h"

static uint64_t sum(enum counter first, enum counter last)
{
	uint64_t all = 0;

	for (int i = (int)first; i <= (int)last; i++)
		all += counter_get((enum counter)i);
	return all;
}

struct recent_counts recent_counters(int64_t now)
{
	/* Deferred without a verdict: there is no table, or a session is one too many. */
	uint64_t turned_away = sum(COUNTER_DEFERRALS_NO_TABLE, COUNTER_DEFERRALS_SESSIONS);
	struct recent_counts counts = {
		.at = now,
		/* Before the whole: it may be too small meanwhile, and never too large. */
		.deferred = counter_get(COUNTER_RECIPIENTS_DEFER) + turned_away,
		.messages_deferred = counter_get(COUNTER_MESSAGES_DEFERRED),
	};

	counts.recipients =
		sum(COUNTER_RECIPIENTS_FOREIGN, COUNTER_RECIPIENTS_DISCARD) + turned_away;
	counts.messages = sum(COUNTER_MESSAGES_UNCHANGED, COUNTER_MESSAGES_DEFERRED);
	return counts;
}

void recent_init(struct recent *recent, const struct recent_counts *now)
{
	*recent = (struct recent){ .notes = { *now }, .count = 1 };
}

/* The note that was made NUMBER notes ago; 0: the last one. */
static const struct recent_counts *note(const struct recent *recent, size_t number)
{
	return &recent->notes[(recent->count - 1 - number) % RECENT_NOTES];
}

void recent_note(struct recent *recent, const struct recent_counts *now)
{
	if (now->at - note(recent, 0)->at >= RECENT_STEP_SECONDS)
		recent->notes[recent->count++ % RECENT_NOTES] = *now;
}

struct recent_counts recent_since(const struct recent *recent, const struct recent_counts *now)
{
	size_t kept = recent->count < RECENT_NOTES ? recent->count : RECENT_NOTES;
	const struct recent_counts *from = note(recent, 0);

	for (size_t i = 1; i < kept && now->at - from->at < RECENT_SECONDS; i++)
		from = note(recent, i);
	return (struct recent_counts){
		.at = now->at - from->at,
		.recipients = now->recipients - from->recipients,
		.deferred = now->deferred - from->deferred,
		.messages = now->messages - from->messages,
		.messages_deferred = now->messages_deferred - from->messages_deferred,
	};
}
