/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pool.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "milter/pulse.h"
#include "service/log.h"

enum { FAILED_PAUSE_MS = 1000 /* where there is no thread to be had: more patience */ };

typedef void *(*thread_routine)(void *);

/* Under libmilter's lock of its pool, but for what is atomic. */
static struct {
	_Atomic(thread_routine)
		worker;   /* what a thread that waits was begun with; NULL: none has waited */
	int waiting;      /* threads */
	int promised;     /* sessions for which one of those was woken */
	_Atomic int owed; /* sessions for which there was none */
} pool;

/* When it was last seen that somebody was answered. Of the two threads that look neither minds what
 * the other one writes. */
static _Atomic uint64_t seen_pulse;
static _Atomic int64_t seen_ms;

static _Thread_local thread_routine own_routine;
static _Thread_local bool is_dispatcher;

/* ---- the C library's own ------------------------------------------------------------------ */

typedef int create_function(pthread_t *restrict, const pthread_attr_t *restrict, thread_routine,
			    void *restrict);
typedef int wait_function(pthread_cond_t *restrict, pthread_mutex_t *restrict,
			  const struct timespec *restrict);
typedef int signal_function(pthread_cond_t *);

static struct {
	create_function *create;
	wait_function *wait;
	signal_function *signal;
} real;
static pthread_once_t real_once = PTHREAD_ONCE_INIT;

/* The address of a function is no pointer to an object in C; POSIX says that it fits into one. */
static void find(const char *name, void *out_function)
{
	void *found = dlsym(RTLD_NEXT, name);

	memcpy(out_function, &found, sizeof(found));
}

/* A C library without one of them would not have got as far as here. */
static void find_all(void)
{
	find("pthread_create", &real.create);
	find("pthread_cond_timedwait", &real.wait);
	find("pthread_cond_signal", &real.signal);
}

static void need_real(void)
{
	(void)pthread_once(&real_once, find_all); /* fails for a bad argument only */
}

/* ---- threads ------------------------------------------------------------------------------ */

struct beginning {
	thread_routine routine;
	void *argument;
};

static void *begin(void *argument)
{
	struct beginning beginning = *(struct beginning *)argument;

	free(argument);
	own_routine = beginning.routine;
	return beginning.routine(beginning.argument);
}

int pool_create(pthread_t *restrict out_thread, const pthread_attr_t *restrict attributes,
		thread_routine routine, void *restrict argument)
{
	struct beginning *beginning = malloc(sizeof(*beginning));
	int result;

	need_real();
	if (beginning == NULL)
		return EAGAIN;
	*beginning = (struct beginning){ .routine = routine, .argument = argument };
	result = real.create(out_thread, attributes, begin, beginning);
	if (result != 0)
		free(beginning);
	return result;
}

int pool_wait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
	      const struct timespec *restrict limit)
{
	int result;

	need_real();
	atomic_store(&pool.worker, own_routine);
	pool.waiting++;
	/* It has looked: there is no session to be taken. */
	pool.promised = 0;
	atomic_store(&pool.owed, 0);
	result = real.wait(condition, mutex, limit);
	pool.waiting--;
	/* Whatever woke it up, it takes a session if there is one. */
	pool.promised -= pool.promised > 0;
	return result;
}

int pool_signal(pthread_cond_t *condition)
{
	need_real();
	is_dispatcher = true;
	if (pool.promised < pool.waiting)
		pool.promised++;
	else if (atomic_fetch_add(&pool.owed, 1) == 0)
		atomic_store(&seen_ms, clock_milliseconds());
	return real.signal(condition);
}

/* ---- who waits too long --------------------------------------------------------------------- */

/* Begin a thread where sessions have waited long enough. */
static void look_at_owed(void)
{
	uint64_t pulse = pulse_count();
	int64_t now_ms = clock_milliseconds();
	thread_routine worker = atomic_load(&pool.worker);
	pthread_t thread;
	int reason;

	/* Who has answered goes on with the next session. */
	if (atomic_exchange(&seen_pulse, pulse) != pulse) {
		atomic_store(&seen_ms, now_ms);
		return;
	}
	if (worker == NULL || now_ms - atomic_load(&seen_ms) < POOL_PATIENCE_MS)
		return;
	atomic_store(&seen_ms, now_ms);
	reason = pool_create(&thread, NULL, worker, NULL); /* it detaches itself */
	if (reason == 0)
		return;
	atomic_store(&seen_ms, now_ms + FAILED_PAUSE_MS);
	log_line(SEVERITY_WARNING, "no thread for a session that waits: %s", error_words(reason));
}

int pool_poll(int (*poll_kernel)(struct pollfd *, nfds_t, int), struct pollfd *descriptors,
	      nfds_t count, int timeout_ms)
{
	int64_t end_ms = clock_milliseconds() + timeout_ms;

	while (is_dispatcher && atomic_load(&pool.owed) > 0) {
		int64_t left_ms = end_ms - clock_milliseconds();
		bool is_last = timeout_ms >= 0 && left_ms <= POOL_PATIENCE_MS;
		int result =
			poll_kernel(descriptors, count,
				    is_last ? (int)(left_ms > 0 ? left_ms : 0) : POOL_PATIENCE_MS);

		look_at_owed();
		if (result != 0 || is_last)
			return result;
	}
	return poll_kernel(descriptors, count, timeout_ms);
}
