/* SPDX-License-Identifier: BSD-2-Clause */
#include "follow/complaint.h"

void complaint_init(struct complaint *complaint)
{
	buffer_init(&complaint->text, COMPLAINT_BYTES_MAX);
	complaint->due_ms = INT64_MAX;
}

void complaint_free(struct complaint *complaint)
{
	buffer_free(&complaint->text);
}

bool complaint_is_news(struct complaint *complaint, struct bytes text, int64_t now_ms)
{
	if (complaint->due_ms != INT64_MAX && bytes_equal(text, buffer_bytes(&complaint->text)))
		return false;
	buffer_clear(&complaint->text);
	(void)buffer_append(&complaint->text, text); /* else it is said again, without words */
	complaint->due_ms = now_ms + COMPLAINT_AGAIN_MS;
	return true;
}

bool complaint_is_due(struct complaint *complaint, int64_t now_ms)
{
	if (now_ms < complaint->due_ms)
		return false;
	complaint->due_ms = now_ms + COMPLAINT_AGAIN_MS;
	return true;
}

void complaint_end(struct complaint *complaint)
{
	buffer_clear(&complaint->text);
	complaint->due_ms = INT64_MAX;
}
