/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pulse - signs of life of a worker, which its master counts.
 *
 * Whoever asks the worker a question may get no answer though others do: the queue of the socket is
 * full, or no descriptor is left. A worker that answers anybody is alive, so each answer that
 * libmilter writes is a beat, and so is a session that is turned away. Each worker has a pulse of
 * its own, for several may serve at a time. Thread-safe.
 */
#ifndef MILTER_PULSE_H
#define MILTER_PULSE_H

#include <stdint.h>

/* From now on this process, a worker or its master, beats and counts that of WORKER, less than
 * COUNTERS_WORKERS. What counters_share() shares. */
void pulse_use(unsigned worker);

/* This process is no worker: from now on it counts for itself. */
void pulse_leave(void);

void pulse_beat(void);

/* Grows with each beat. */
uint64_t pulse_count(void);

#endif
