/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * complaint - what is wrong is said when it is news, and each hour as long as it lasts.
 *
 * It decides, and says nothing itself. NOW_MS is of a clock that never goes back.
 */
#ifndef FOLLOW_COMPLAINT_H
#define FOLLOW_COMPLAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

enum {
	COMPLAINT_AGAIN_MS = 3600000,
	COMPLAINT_BYTES_MAX = 1 << 16,
};

struct complaint {
	struct buffer text; /* as it was said last */
	int64_t due_ms;     /* when to say it once more; INT64_MAX: not, for all is well */
};

void complaint_init(struct complaint *complaint);
void complaint_free(struct complaint *complaint);

/* TEXT is wrong now. True: it isn't what was said last, so say it. */
bool complaint_is_news(struct complaint *complaint, struct bytes text, int64_t now_ms);

/* Is it time to say the same once more? True: once, and then in an hour. */
bool complaint_is_due(struct complaint *complaint, int64_t now_ms);

/* All is well: whatever comes next is news. */
void complaint_end(struct complaint *complaint);

#endif
