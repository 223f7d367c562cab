/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/signal_thread.h"

#include <stdatomic.h>
#include <sysexits.h>
#include <time.h>

enum { STEP_MS = 1 };

static _Atomic bool has_come;

void signal_thread_comes(void)
{
	atomic_store(&has_come, true);
}

/* In steps: a condition variable with a limit wants a clock that can't jump, and thereby a start.
 */
bool signal_thread_wait(struct error *err)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	for (int waited_ms = 0; !atomic_load(&has_come); waited_ms += STEP_MS) {
		if (waited_ms >= SIGNAL_THREAD_MS)
			return error_set(err, EX_SOFTWARE,
					 "libmilter doesn't call our sigwait(), and a signal would"
					 " end it: this program is built wrong");
		(void)nanosleep(&step, NULL); /* shorter is as good */
	}
	return true;
}
