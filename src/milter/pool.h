/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - no session waits for a thread of libmilter's that is busy elsewhere.
 *
 * libmilter keeps a pool of threads. For each session that has something to say it wakes one that
 * waits, or begins another where none does; but it counts a thread as waiting until it has woken
 * up. So of two sessions at once, with one thread waiting, the second is nobody's until a thread
 * has finished. Mostly that is soon. Where the threads have gone to peers that stopped in the
 * middle of a packet it is not: beside four of those others waited for 5.7 seconds, beside sixteen
 * for 28, until the master's questions had brought threads enough (libmilter 8.17).
 *
 * Here it is counted to how many sessions a waiting thread was promised. Where there were more, and
 * nothing was answered for a moment, one more thread of libmilter's own kind is begun: it takes
 * the session, and ends by itself once there are too many.
 *
 * Called by hooks (libmilter_hooks.def), with libmilter's lock of its pool held but for pool_poll()
 * and pool_create(). A libmilter without a pool calls none of these.
 */
#ifndef MILTER_POOL_H
#define MILTER_POOL_H

#include <poll.h>
#include <pthread.h>
#include <time.h>

enum { POOL_PATIENCE_MS = 10 }; /* without an answer to anybody, before another thread is begun */

/* As pthread_create(3). */
int pool_create(pthread_t *restrict out_thread, const pthread_attr_t *restrict attributes,
		void *(*routine)(void *), void *restrict argument);

/* As pthread_cond_timedwait(3). */
int pool_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
	      const struct timespec *restrict limit);

/* As pthread_cond_signal(3). */
int pool_signal(pthread_cond_t *condition);

/* As poll(2); POLL is that. */
int pool_poll(int (*poll_kernel)(struct pollfd *, nfds_t, int), struct pollfd *descriptors,
	      nfds_t count, int timeout_ms);

#endif
