/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pulse.h"

#include <stdatomic.h>
#include <stddef.h>

#include "message/counters.h"

static _Atomic uint64_t own_count;
static _Atomic uint64_t *count = &own_count;

void pulse_use(unsigned worker)
{
	count = counters_pulse(worker);
}

void pulse_leave(void)
{
	count = &own_count;
}

void pulse_beat(void)
{
	(void)atomic_fetch_add(count, 1); /* its value is of no interest */
}

uint64_t pulse_count(void)
{
	return atomic_load(count);
}
