/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure - what this process takes of the machine, for the counters.
 */
#ifndef METRICS_MEASURE_H
#define METRICS_MEASURE_H

/* Once in this process, before it may open nothing any more. */
void measure_open(void);

/* Measure now; what the system doesn't tell stays as it was. */
void measure_process(void);

#endif
