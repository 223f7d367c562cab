/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - the monotonic clock: time that only goes forward, whoever sets the date.
 *
 * Only differences mean something; a date is time(2)'s business. Signed, so that a deadline that
 * has passed is a negative difference. Can't fail, and works in any thread and signal handler. The
 * first second since boot is 0: where 0 means "never", add something.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_seconds(void);
int64_t clock_milliseconds(void);
int64_t clock_microseconds(void);

#endif
