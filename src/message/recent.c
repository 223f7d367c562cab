/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/recent.h"

#include "message/counters.h"

struct recent_counts recent_counters(int64_t now)
{
	struct recent_counts counts = {
		.at = now,
		/* Before the whole: it may be too small meanwhile, and never too large. */
		.deferred = counter_get(COUNTER_RECIPIENTS_DEFER),
	};

	for (int i = COUNTER_RECIPIENTS_FOREIGN; i <= COUNTER_RECIPIENTS_DISCARD; i++)
		counts.recipients += counter_get((enum counter)i);
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
	};
}
