/* SPDX-License-Identifier: BSD-2-Clause */
/* Apart from the rest, which needs no worker, and so no libmilter. */
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "openrcptd/worker_process.h"
#include "service/log.h"

/* In the new process: leave what is the master's, and serve. */
static _Noreturn void be_worker(const struct worker_options *options, const int *masters,
				size_t count)
{
	log_forked();
	/* Signals from a terminal are for the master. */
	(void)setpgid(0, 0); /* a new child can always lead its own group */
	for (size_t i = 0; i < count; i++)
		if (masters[i] >= 0)
			(void)close(masters[i]); /* the master's, and they stay so */
	/* Its threads may still run, and what exit() takes down is theirs too. */
	_exit(worker_run(options));
}

bool worker_process_start(struct worker_process *process, const struct worker_options *options,
			  const int *masters, size_t count, struct error *err)
{
	struct worker_options own = *options;
	int ends[2];
	pid_t child;

	if (!orders_open(ends))
		return error_set_errno(err, EX_OSERR, "orders to a worker");
	child = fork();
	if (child == 0) {
		(void)close(ends[0]); /* the master's end */
		own.orders_fd = ends[1];
		be_worker(&own, masters, count);
	}
	if (child < 0)
		error_fill_errno(err, EX_OSERR, "start a worker");
	(void)close(ends[1]); /* the worker's end */
	if (child < 0) {
		(void)close(ends[0]); /* nobody listens */
		return false;
	}
	process->pid = child;
	process->orders_fd = ends[0];
	process->number = options->number;
	process->brings_settings = options->brings_settings;
	process->started_ms = clock_milliseconds();
	return true;
}
