/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/retired.h"

#include <limits.h>
#include <string.h>
#include <sys/wait.h>

#include "service/log.h"

static void tell_to_stop(struct retired *one, long long now_ms)
{
	if (one->was_told)
		return;
	(void)worker_process_tell(&one->process, ORDER_STOP, -1); /* or it is ending */
	one->was_told = true;
	one->due_ms = now_ms + RETIRED_END_MS;
}

bool retired_are_full(const struct retired_workers *workers)
{
	return workers->count == RETIRED_ROOM;
}

void retired_add(struct retired_workers *workers, const struct worker_process *take_process,
		 bool shares_socket, long long now_ms)
{
	struct retired *one = &workers->list[workers->count++];

	*one = (struct retired){ .process = *take_process, .due_ms = now_ms + RETIRED_MS };
	/* One that can't be told is ending. */
	(void)worker_process_tell(&one->process, shares_socket ? ORDER_RETIRE : ORDER_RETIRE_ALONE,
				  -1);
	for (size_t i = 0; i + RETIRED_MOST < workers->count; i++)
		tell_to_stop(&workers->list[i], now_ms);
}

void retired_work(struct retired_workers *workers, long long now_ms)
{
	for (size_t i = 0; i < workers->count; i++) {
		struct retired *one = &workers->list[i];

		if (now_ms < one->due_ms)
			continue;
		if (!one->was_told) {
			tell_to_stop(one, now_ms);
			continue;
		}
		worker_process_kill(&one->process);
		one->due_ms = now_ms + RETIRED_END_MS;
	}
}

long long retired_due_ms(const struct retired_workers *workers)
{
	long long due_ms = LLONG_MAX;

	for (size_t i = 0; i < workers->count; i++)
		if (workers->list[i].due_ms < due_ms)
			due_ms = workers->list[i].due_ms;
	return due_ms;
}

static void log_end(const struct retired *one, int wait_status)
{
	long pid = (long)one->process.pid;

	if (WIFSIGNALED(wait_status))
		log_line(SEVERITY_ERROR, "worker %ld, which had retired, was killed by signal %d",
			 pid, WTERMSIG(wait_status));
	else
		log_line(SEVERITY_INFO, "worker %ld, which had retired, has ended", pid);
}

bool retired_has_ended(struct retired_workers *workers, pid_t child, int wait_status)
{
	for (size_t i = 0; i < workers->count; i++) {
		struct retired *one = &workers->list[i];

		if (one->process.pid != child)
			continue;
		log_end(one, wait_status);
		worker_process_forget(&one->process);
		workers->count--;
		memmove(one, one + 1, (workers->count - i) * sizeof(*one));
		return true;
	}
	return false;
}

bool retired_have_number(const struct retired_workers *workers, unsigned number)
{
	for (size_t i = 0; i < workers->count; i++)
		if (workers->list[i].process.number == number)
			return true;
	return false;
}

void retired_stop(struct retired_workers *workers, long long now_ms)
{
	for (size_t i = 0; i < workers->count; i++)
		tell_to_stop(&workers->list[i], now_ms);
}

void retired_kill(const struct retired_workers *workers)
{
	for (size_t i = 0; i < workers->count; i++)
		worker_process_kill(&workers->list[i].process);
}
