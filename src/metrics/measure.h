/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure - what this process takes of the machine and drops of its log, for the counters.
 */
#ifndef METRICS_MEASURE_H
#define METRICS_MEASURE_H

/* Once in this process, before it may open nothing any more. */
void measure_open(void);

/* Measure now; what the system doesn't tell stays as it was. */
void measure_process(void);

/* Count which lines this process's log had no room for since the last time. In one thread. */
void measure_log(void);

#endif
