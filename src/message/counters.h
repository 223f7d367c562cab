/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - what the service has done, and what it works with, for people and monitoring.
 *
 * In memory that all processes of the service share, so that the master can tell while its worker
 * hangs, and nothing is lost with a worker but its sessions. Which there are: counters.def.
 * Thread-safe.
 */
#ifndef MESSAGE_COUNTERS_H
#define MESSAGE_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum counter {
#define COUNTER(id, family, label, value) COUNTER_##id,
#define GAUGE(id, family)                 COUNTER_##id,
#include "message/counters.def"
	COUNTERS
};

enum {
	COUNTERS_TEXT_MAX = 512,
	COUNTERS_WORKERS = 16, /* as many there may be at a time */
};

/* Texts that the processes share beside the numbers. */
enum counters_text {
	COUNTERS_TEXT_FAILURE, /* why a load of settings or table has failed last */
	COUNTERS_TEXT_REEXEC,  /* which settings wait for rcptctl reexec, as "log, socket" */
	COUNTERS_TEXT_RESTART, /* which ones for a restart */
	COUNTERS_TEXTS
};

enum histogram {
	HISTOGRAM_EXPANDED, /* recipients that an alias has become */
	HISTOGRAM_RESOLVE,  /* microseconds that one answer took */
	HISTOGRAMS
};

enum { HISTOGRAM_BUCKETS = 10 }; /* the last one takes whatever is more */

/* How many were seen of each size. */
struct histogram_counts {
	uint64_t bounds[HISTOGRAM_BUCKETS - 1]; /* a bucket takes what is not more */
	uint64_t buckets[HISTOGRAM_BUCKETS];
	uint64_t sum;
};

struct counter_name {
	const char *family;
	const char *label; /* empty: it is the only one of its family */
	const char *value;
};

/* Share them with the processes that are forked from now on; once. Where there is no memory for it
 * each process counts for itself. */
void counters_share(void);

/* The memory that is shared, for a program that takes the place of this one; -1: there is none. It
 * stays ours. */
int counters_descriptor(void);

/* Go on with what FD has, instead of counters_share(). False: it is of a program that counts other
 * things. FD is ours from now on, or else stays the caller's. */
bool counters_adopt(int fd);

/* Signs of life of WORKER, for milter/pulse.h. */
_Atomic uint64_t *counters_pulse(unsigned worker);

/*
 * Sessions are counted by worker, since several may serve, and one that dies takes its sessions
 * with it. A process is worker 0 until it says otherwise. counter_get() gives the sum of all.
 */
void counters_be_worker(unsigned worker);

/* No process is WORKER any more. */
void counters_forget_worker(unsigned worker);

/* One more, unless there are MOST of all workers. Of two workers that begin the last one at the
 * same moment each may be told no. */
bool counters_begin_session(uint64_t most);
void counters_end_session(void);

void counter_add(enum counter which, uint64_t number);
void counter_set(enum counter which, uint64_t number);
uint64_t counter_get(enum counter which);
const struct counter_name *counter_name(enum counter which);

void counters_observe(enum histogram which, uint64_t value);
void counters_histogram(enum histogram which, struct histogram_counts *out_counts);

/* A load of settings or table has failed, at NOW (seconds since 1970), for REASON; cut where it is
 * longer. Whoever loads one sets COUNTER_LAST_LOAD_FAILED to 0: a date is too coarse to tell which
 * of the two was later. */
void counters_failure(const char *reason, uint64_t now);

/* From now on WHICH is TEXT; cut where it is longer. By one process at a time. */
void counters_set_text(enum counters_text which, const char *text);

/* Copy WHICH as it is now; empty: there is none. */
void counters_get_text(enum counters_text which, char out_text[COUNTERS_TEXT_MAX]);

#endif
