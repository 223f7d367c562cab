/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pulse.h"

#include <stdatomic.h>
#include <stddef.h>

#include "message/counters.h"

static _Atomic uint64_t own_count;
/* One that retires leaves while its threads beat. */
static _Atomic uint64_t *_Atomic count = &own_count;

void pulse_use(unsigned worker)
{
	atomic_store(&count, counters_pulse(worker));
}

void pulse_leave(void)
{
	atomic_store(&count, &own_count);
}

void pulse_beat(void)
{
	(void)atomic_fetch_add(atomic_load(&count), 1); /* its value is of no interest */
}

uint64_t pulse_count(void)
{
	return atomic_load(atomic_load(&count));
}
