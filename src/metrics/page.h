/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page - the counters as Prometheus reads them (text format 0.0.4).
 *
 * No address and no domain is ever on it.
 */
#ifndef METRICS_PAGE_H
#define METRICS_PAGE_H

#include <stdint.h>

#include "base/buffer.h"

/* Append all of it. BEGAN: when the service was started; NOW: both in seconds since 1970. Failures
 * are the buffer's. */
void metrics_page_print(uint64_t began, uint64_t now, struct buffer *out);

#endif
