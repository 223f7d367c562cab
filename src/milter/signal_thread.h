/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signal_thread - has libmilter's thread that waits for signals come to our sigwait()?
 *
 * smfi_main() starts that thread first, then serves, and the two race. As long as the thread has
 * not come to us it may as well be in the C library's sigwait(): then the program was built so that
 * libmilter doesn't find libmilter_hooks, and the next TERM would end the process. So nobody is
 * served before: a negotiation waits here, and so does the worker before it says that it is ready.
 *
 * Any thread may call these.
 */
#ifndef MILTER_SIGNAL_THREAD_H
#define MILTER_SIGNAL_THREAD_H

#include <stdbool.h>

#include "base/error.h"

/* How long to wait. The thread needs a moment; this is for a machine that is very busy. */
#ifndef SIGNAL_THREAD_MS
#define SIGNAL_THREAD_MS 30000
#endif

/* For the hook: it has come. */
void signal_thread_comes(void);

/* True as soon as it has come. False, with ERR: it hasn't within SIGNAL_THREAD_MS. */
bool signal_thread_wait(struct error *err);

#endif
