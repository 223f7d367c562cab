/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pulse.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "message/counters.h"

static _Atomic uint64_t own_count;
static _Atomic uint64_t *shared; /* by worker; NULL: there are none */
static _Atomic uint64_t *count = &own_count;

void pulse_share(void)
{
	void *memory = mmap(NULL, COUNTERS_WORKERS * sizeof(*shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		shared = memory;
	pulse_use(0);
}

void pulse_use(unsigned worker)
{
	if (shared != NULL)
		count = &shared[worker];
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
