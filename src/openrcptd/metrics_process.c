/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/metrics_process.h"

#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine/confine.h"
#include "metrics/server.h"
#include "milter/pulse.h"
#include "service/log.h"

enum {
	PAUSE_MS = 1000, /* between the end of one and the next */
	CHECK_MS = 1000, /* between two looks at the socket file */
};

bool metrics_process_open(struct metrics_process *process, const struct settings *settings,
			  pid_t former, struct error *err)
{
	struct endpoint_address address;
	struct error detail;
	int given_fd;

	if (settings->metrics[0] == '\0')
		return true;
	if (!metrics_server_exists())
		return error_set(err, EX_UNAVAILABLE, "metrics: this daemon was built without");
	if (!listen_parse("metrics", settings->metrics, settings->allow_remote_metrics, &address,
			  &given_fd, err))
		return false;
	process->listener.former = former;
	if (given_fd >= 0 ? listener_take(&process->listener, &address, given_fd, &detail)
			  : listener_open(&process->listener, &address, &detail))
		return true;
	listener_close(&process->listener);
	return error_set(err, detail.status, "metrics: %s", detail.text);
}

void metrics_process_close(struct metrics_process *process)
{
	if (process->pid > 0)
		(void)kill(process->pid, SIGKILL); /* it may have ended by itself */
	listener_close(&process->listener);
	*process = METRICS_PROCESS_NONE;
}

static _Noreturn void be_server(const struct settings *settings, int listen_fd, pid_t master,
				const int *masters, size_t count)
{
	struct error err;

	log_forked();
	(void)setpgid(0, 0); /* a new child can always lead its own group */
	pulse_leave();
	for (size_t i = 0; i < count; i++)
		if (masters[i] >= 0)
			(void)close(masters[i]); /* the master's, who goes on with it */
	/* Or its end was before this. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != master)
		_exit(EX_OK);
	if (!confine_metrics(settings, &err) || !metrics_server_start(listen_fd, &err)) {
		log_line(SEVERITY_ERROR, "%s", err.text);
		_exit(err.status);
	}
	for (;;)
		(void)pause(); /* it is ended by a signal that can't be caught */
}

/* The next one listens on the new socket; the old one knows the old socket only. */
static void look_after_file(struct metrics_process *process, long long now_ms)
{
	struct error err;

	if (process->listener.fd < 0 || now_ms < process->check_ms)
		return;
	process->check_ms = now_ms + CHECK_MS;
	if (listener_is_intact(&process->listener))
		return;
	if (!process->has_told)
		log_line(SEVERITY_ERROR, "%s: the socket is gone: opening it anew",
			 process->listener.address.socket.local.sun_path);
	if (listener_renew(&process->listener, &err)) {
		process->has_told = false;
		if (process->pid > 0)
			(void)kill(process->pid, SIGKILL); /* it may have ended by itself */
		return;
	}
	if (!process->has_told)
		log_line(SEVERITY_ERROR, "%s", err.text);
	process->has_told = true;
}

void metrics_process_work(struct metrics_process *process, const struct settings *settings,
			  const int *masters, size_t count, long long now_ms)
{
	pid_t master = getpid();
	pid_t child;

	look_after_file(process, now_ms);
	if (process->listener.fd < 0 || process->pid != 0 || now_ms < process->due_ms)
		return;
	child = fork();
	if (child == 0)
		be_server(settings, process->listener.fd, master, masters, count);
	process->due_ms = now_ms + PAUSE_MS;
	if (child > 0)
		process->pid = child;
}

long long metrics_process_due_ms(const struct metrics_process *process)
{
	return process->listener.fd >= 0 && process->pid == 0 ? process->due_ms : LLONG_MAX;
}

bool metrics_process_has_ended(struct metrics_process *process, pid_t child, long long now_ms)
{
	if (process->pid != child)
		return false;
	log_line(SEVERITY_WARNING, "the process of the metrics has ended: starting another");
	process->pid = 0;
	process->due_ms = now_ms + PAUSE_MS;
	return true;
}
