/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/worker_process.h"

#include <signal.h>
#include <unistd.h>

#include "message/counters.h"

bool worker_process_tell(const struct worker_process *process, enum order order, int descriptor)
{
	return process->orders_fd >= 0 && orders_write(process->orders_fd, order, descriptor);
}

void worker_process_kill(const struct worker_process *process)
{
	if (process->pid > 0)
		(void)kill(process->pid, SIGKILL); /* it may have ended by itself */
}

void worker_process_hang_up(struct worker_process *process)
{
	if (process->orders_fd >= 0)
		(void)close(process->orders_fd); /* its worker is gone, or going */
	process->orders_fd = -1;
}

void worker_process_forget(struct worker_process *process)
{
	worker_process_hang_up(process);
	if (process->table_fd >= 0)
		(void)close(process->table_fd); /* was only read */
	if (process->pid > 0)
		counters_forget_worker(process->number);
	*process = WORKER_PROCESS_NONE;
}
