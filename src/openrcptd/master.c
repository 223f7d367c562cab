/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "openrcptd/health.h"
#include "openrcptd/master_begin.h"
#include "openrcptd/orders.h"
#include "openrcptd/settings_reader.h"
#include "openrcptd/start_pace.h"
#include "openrcptd/worker_process.h"
#include "openrcptd/worker_state.h"
#include "service/listen.h"
#include "service/log.h"
#include "service/notify.h"

enum {
	RELOAD_PAUSE_MS = 100,   /* signals in between are one reload */
	END_MS = 15000,          /* more than a worker takes that was told to end */
	LONGEST_WAIT_MS = 60000, /* where nothing is due */
};

#define NEVER_MS LLONG_MAX

struct master {
	struct settings *settings; /* as at the start, and never changed */
	struct settings_reader reader;
	int settings_fd; /* what the last reload has brought; -1: none yet */
	struct listener listener;
	struct health health;
	struct worker_process worker;
	struct start_pace pace;
	enum worker_state state;
	size_t max_sessions;
	long long due_ms;         /* EVENT_DUE; set by the action that began the state */
	long long started_ms;     /* the worker */
	long long next_reload_ms; /* not before */
	bool has_served;          /* some worker has */
	int wait_status;          /* of the last worker, as waitpid() has it */
	int exit_status;
};

/* Set by signal handlers, which do nothing else. */
static volatile sig_atomic_t wants_reload;
static volatile sig_atomic_t wants_stop;

static void on_signal(int number)
{
	if (number == SIGHUP || number == SIGUSR1)
		wants_reload = 1;
	else if (number == SIGTERM || number == SIGINT)
		wants_stop = 1;
	/* SIGCHLD only has to wake us. */
}

/* ---- signals -------------------------------------------------------------------------- */

static const int handled_signals[] = { SIGHUP, SIGUSR1, SIGTERM, SIGINT, SIGCHLD };

/* Blocked but while waiting, so that none is missed between a look at the flags and the wait. */
static void handle_signals(sigset_t *out_while_waiting)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	(void)sigemptyset(&blocked); /* can't fail, as the rest here: the numbers are sound */
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(handled_signals) / sizeof(handled_signals[0]); i++) {
		(void)sigaction(handled_signals[i], &action, NULL);
		(void)sigaddset(&blocked, handled_signals[i]);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
	(void)sigemptyset(out_while_waiting);
}

/* ---- the socket --------------------------------------------------------------------------- */

/* Somebody removed the socket file. A worker keeps the socket it began with. */
static bool renew_socket(struct master *master)
{
	const struct endpoint_address address = master->listener.address;
	struct error err;

	log_line(SEVERITY_ERROR, "%s: the socket is gone: opening it anew",
		 address.socket.local.sun_path);
	listener_close(&master->listener);
	if (listener_open(&master->listener, &address, &err))
		return true;
	/* Tried again with the next look. */
	log_line(SEVERITY_ERROR, "%s", err.text);
	return false;
}

/* ---- the actions of worker_state.h: each may make the next event happen ----------------- */

static enum worker_event start_worker(struct master *master)
{
	const struct worker_options options = {
		.settings = master->settings,
		.settings_fd = master->settings_fd,
		.listen_fd = master->listener.fd,
		.max_sessions = master->max_sessions,
	};
	struct error err;

	health_close(&master->health); /* the new process has no use for an open question */
	if (worker_process_start(&master->worker, &options, master->listener.lock_fd, &err)) {
		master->started_ms = clock_milliseconds();
		master->due_ms = NEVER_MS;
		return EVENT_NONE;
	}
	log_line(SEVERITY_ERROR, "%s", err.text);
	return EVENT_NOT_STARTED;
}

/* When the next worker may start: at once, unless the last one lived for a moment only. */
static enum worker_event plan_start(struct master *master, long long lived_ms)
{
	master->due_ms = clock_milliseconds() + start_pace_next(&master->pace, lived_ms);
	return EVENT_NONE;
}

static enum worker_event serve(struct master *master)
{
	log_line(SEVERITY_INFO, "worker %ld serves", (long)master->worker.pid);
	master->has_served = true;
	notify_ready();
	health_restart(&master->health, clock_milliseconds());
	return EVENT_NONE;
}

static enum worker_event read_settings(struct master *master)
{
	const int masters[] = {
		master->listener.fd,
		master->listener.lock_fd,
		master->worker.orders_fd,
	};
	struct error err;

	master->next_reload_ms = clock_milliseconds() + RELOAD_PAUSE_MS;
	notify_reloading();
	if (settings_reader_start(&master->reader, master->settings, masters,
				  sizeof(masters) / sizeof(masters[0]), &err))
		return EVENT_NONE;
	log_line(SEVERITY_ERROR, "%s: settings and table stay as they were", err.text);
	return EVENT_SETTINGS_BAD;
}

static enum worker_event hand_over_settings(struct master *master)
{
	if (worker_process_tell(&master->worker, ORDER_RELOAD, master->reader.result_fd))
		return EVENT_NONE;
	wants_reload = 1; /* it is ending: the next one is to do it */
	return EVENT_KEPT;
}

/* A reload is over, one way or the other. False: there was none. */
static bool end_reload(struct master *master)
{
	if (!settings_reader_cancel(&master->reader))
		return false;
	notify_ready();
	return true;
}

static enum worker_event keep_settings(struct master *master)
{
	(void)end_reload(master); /* there was one */
	return EVENT_NONE;
}

/* The worker goes, perhaps in a reload. One that it hasn't begun is only put off. One that it has
 * may be what it died of, and must not end the next one too. */
static void give_up_reload(struct master *master)
{
	bool has_begun = master->reader.pid == 0;

	if (!end_reload(master))
		return;
	if (has_begun)
		log_line(SEVERITY_ERROR, "worker %ld ended in a reload: settings stay as they were",
			 (long)master->worker.pid);
	else
		wants_reload = 1;
}

/* A worker that is started later begins with what this one has taken over. */
static enum worker_event adopt_settings(struct master *master)
{
	if (master->settings_fd >= 0)
		(void)close(master->settings_fd); /* was only read */
	master->settings_fd = settings_reader_take(&master->reader);
	log_line(SEVERITY_INFO, "%s: reloaded", master->settings->file);
	notify_ready();
	return EVENT_NONE;
}

/* A worker that can't be told is ending anyway. */
static enum worker_event end_worker(struct master *master)
{
	(void)worker_process_tell(&master->worker, ORDER_STOP, -1);
	master->due_ms = clock_milliseconds() + END_MS;
	return EVENT_NONE;
}

static enum worker_event replace_worker(struct master *master)
{
	/* The next one is to do it. */
	if (end_reload(master))
		wants_reload = 1;
	return end_worker(master);
}

static enum worker_event kill_worker(struct master *master)
{
	give_up_reload(master);
	worker_process_kill(&master->worker);
	master->due_ms = clock_milliseconds() + END_MS;
	return EVENT_NONE;
}

static enum worker_event bury_worker(struct master *master)
{
	give_up_reload(master);
	worker_process_forget(&master->worker);
	return plan_start(master, clock_milliseconds() - master->started_ms);
}

/* What is wrong at the start is wrong for the next one too. */
static enum worker_event fail(struct master *master)
{
	int status = WIFEXITED(master->wait_status) ? WEXITSTATUS(master->wait_status) : EX_OK;

	master->exit_status = status != EX_OK ? status : EX_SOFTWARE;
	return EVENT_NONE;
}

static enum worker_event stop(struct master *master)
{
	notify_stopping();
	log_line(SEVERITY_INFO, "stopping");
	(void)settings_reader_cancel(&master->reader); /* whether or not there was one */
	return end_worker(master);
}

static enum worker_event act(struct master *master, enum worker_action action)
{
	switch (action) {
	case ACTION_NONE:
		break;
	case ACTION_START:
		return start_worker(master);
	case ACTION_PLAN:
		return plan_start(master, 0);
	case ACTION_SERVE:
		return serve(master);
	case ACTION_READ:
		return read_settings(master);
	case ACTION_HAND_OVER:
		return hand_over_settings(master);
	case ACTION_ADOPT:
		return adopt_settings(master);
	case ACTION_KEEP:
		return keep_settings(master);
	case ACTION_REPLACE:
		return replace_worker(master);
	case ACTION_KILL:
		return kill_worker(master);
	case ACTION_BURY:
		return bury_worker(master);
	case ACTION_FAIL:
		return fail(master);
	case ACTION_STOP:
		return stop(master);
	}
	return EVENT_NONE;
}

/* EVENT has happened: go to the next state, and do what belongs to that step. */
static void work(struct master *master, enum worker_event event)
{
	while (event != EVENT_NONE) {
		struct worker_step step = worker_step(master->state, event);

		master->state = step.state;
		event = act(master, step.action);
	}
}

/* ---- where events come from -------------------------------------------------------------- */

/* What the worker has said; also the last words of one that has ended. */
static void hear_worker(struct master *master)
{
	for (;;) {
		int message = master->worker.orders_fd < 0
				      ? ORDERS_SILENT
				      : orders_read(master->worker.orders_fd, NULL);

		switch (message) {
		case REPORT_READY:
			work(master, EVENT_READY);
			break;
		case REPORT_RELOADED:
			work(master, EVENT_RELOADED);
			break;
		case REPORT_KEPT:
			work(master, EVENT_KEPT);
			break;
		case ORDERS_ENDED:
			worker_process_hang_up(&master->worker); /* its death follows */
			return;
		default:
			return;
		}
	}
}

static void log_death(const struct master *master)
{
	long pid = (long)master->worker.pid;
	int status = master->wait_status;

	if (master->state == WORKER_STOPPING)
		return;
	if (master->state == WORKER_REPLACING)
		log_line(SEVERITY_INFO, "worker %ld made room", pid);
	else if (WIFSIGNALED(status))
		log_line(SEVERITY_ERROR, "worker %ld was killed by signal %d", pid,
			 WTERMSIG(status));
	else
		log_line(SEVERITY_ERROR, "worker %ld ended with status %d", pid,
			 WEXITSTATUS(status));
}

static void hear_of_death(struct master *master, pid_t child, int status)
{
	if (child == master->reader.pid) {
		work(master, settings_reader_end(&master->reader, status, master->settings->file)
				     ? EVENT_SETTINGS_READ
				     : EVENT_SETTINGS_BAD);
	} else if (child == master->worker.pid) {
		master->wait_status = status;
		log_death(master);
		work(master, master->has_served ? EVENT_DIED : EVENT_NEVER_SERVED);
	}
	/* Or it was a reader that nobody waits for any more. */
}

static void reap_children(struct master *master)
{
	pid_t child;
	int status;

	while ((child = waitpid(-1, &status, WNOHANG)) > 0)
		hear_of_death(master, child, status);
}

static void look_after_worker(struct master *master, bool is_readable)
{
	if (!worker_state_serves(master->state))
		return;
	switch (health_work(&master->health, &master->listener, is_readable,
			    clock_milliseconds())) {
	case HEALTH_QUIET:
		return;
	case HEALTH_WELL:
		notify_alive();
		return;
	case HEALTH_LOST:
		log_line(SEVERITY_ERROR, "worker %ld doesn't answer: starting another",
			 (long)master->worker.pid);
		work(master, EVENT_HUNG);
		return;
	case HEALTH_NO_SOCKET:
		if (renew_socket(master))
			work(master, EVENT_SOCKET_RENEWED);
		return;
	}
}

static void obey_signals(struct master *master)
{
	if (wants_stop) {
		wants_stop = 0;
		work(master, EVENT_STOP);
	}
	/* Until the worker can take it, it is only wanted. */
	if (wants_reload && master->state == WORKER_SERVING &&
	    clock_milliseconds() >= master->next_reload_ms) {
		wants_reload = 0;
		work(master, EVENT_RELOAD);
	}
}

static void look_at_clock(struct master *master)
{
	if (clock_milliseconds() >= master->due_ms)
		work(master, EVENT_DUE);
}

/* ---- the loop ----------------------------------------------------------------------------- */

static long long earlier(long long a, long long b)
{
	return a < b ? a : b;
}

/* In how many milliseconds something is due. */
static long long wait_ms(const struct master *master)
{
	long long now = clock_milliseconds();
	long long due = earlier(master->due_ms, now + LONGEST_WAIT_MS);

	if (worker_state_serves(master->state))
		due = earlier(due, master->health.due_ms);
	if (wants_reload && master->state == WORKER_SERVING)
		due = earlier(due, master->next_reload_ms);
	return due > now ? due - now : 0;
}

static int loop(struct master *master, const sigset_t *while_waiting)
{
	health_init(&master->health, clock_milliseconds());
	while (master->state != WORKER_ENDED) {
		long long limit_ms = wait_ms(master);
		const struct timespec limit = { .tv_sec = limit_ms / 1000,
						.tv_nsec = (long)(limit_ms % 1000) * 1000000 };
		/* A descriptor of -1 is skipped. */
		struct pollfd ready[] = {
			{ .fd = master->worker.orders_fd, .events = POLLIN },
			{ .fd = master->health.fd, .events = POLLIN },
		};
		bool is_ready = ppoll(ready, 2, &limit, while_waiting) > 0;

		hear_worker(master);
		reap_children(master);
		look_after_worker(master, is_ready && ready[1].revents != 0);
		obey_signals(master);
		look_at_clock(master);
	}
	return master->exit_status;
}

int master_run(struct settings *take_settings)
{
	struct master master = {
		.settings = take_settings,
		.listener = LISTENER_NONE,
		.health.fd = -1,
		.worker = WORKER_PROCESS_NONE,
		.reader = SETTINGS_READER_NONE,
		.settings_fd = -1,
		.state = WORKER_ABSENT, /* and one is due */
	};
	struct error err;
	sigset_t while_waiting;
	int status;

	handle_signals(&while_waiting);
	(void)umask(077);
	if (chdir("/") != 0)
		log_line(SEVERITY_WARNING, "/: %s", strerror(errno));
	if (!master_begin(master.settings, &master.listener, &master.max_sessions, &err)) {
		log_line(SEVERITY_FATAL, "%s", err.text);
		status = err.status;
	} else {
		status = loop(&master, &while_waiting);
	}
	worker_process_forget(&master.worker);
	health_close(&master.health);
	listener_close(&master.listener);
	settings_free(master.settings);
	return status;
}
