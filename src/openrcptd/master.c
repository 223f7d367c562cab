/* SPDX-License-Identifier: BSD-2-Clause */
#include "openrcptd/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "openrcptd/health.h"
#include "openrcptd/orders.h"
#include "openrcptd/worker.h"
#include "service/listen.h"
#include "service/log.h"
#include "service/notify.h"
#include "service/privileges.h"

enum {
	DESCRIPTORS_BESIDE = 64, /* those that are no sessions */
	RELOAD_PAUSE_MS = 100,   /* signals in between are one reload */
	QUICK_DEATH_MS = 1000,   /* a worker that lives shorter is not replaced at once */
	FIRST_PAUSE_MS = 100,
	LONGEST_PAUSE_MS = 800, /* service is back within a second */
	STOP_MS = 15000,        /* more than a worker takes */
	FOR_EVER = -1,
};

struct master {
	struct settings *settings;
	struct listener listener;
	struct health health;
	size_t max_sessions;
	pid_t worker;      /* 0: none */
	int orders_fd;     /* to the worker; -1: none */
	bool was_ready;    /* some worker has served */
	bool is_serving;   /* this one does */
	bool is_reloading; /* the worker hasn't answered yet */
	bool is_stopping;
	bool is_replacing;        /* the worker is to make room for one with another socket */
	long long started_ms;     /* the worker */
	long long next_start_ms;  /* of a worker, where there is none */
	long long next_reload_ms; /* not before */
	long long kill_ms;        /* where is_stopping */
	long pause_ms;            /* before the next worker that follows one that died early */
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

/* ---- the worker ----------------------------------------------------------------------- */

/* In the new process: leave what is the master's, and serve. */
static void be_worker(struct master *master, int orders_fd)
{
	const struct worker_options options = {
		.settings = master->settings,
		.listen_fd = master->listener.fd,
		.orders_fd = orders_fd,
		.max_sessions = master->max_sessions,
	};

	log_forked();
	/* Signals from a terminal are for the master. */
	(void)setpgid(0, 0);                   /* a new child can always lead its own group */
	(void)close(master->listener.lock_fd); /* the lock is the master's and stays so */
	exit(worker_run(&options));
}

static bool start_worker(struct master *master)
{
	int ends[2];
	pid_t child;

	master->started_ms = clock_milliseconds();
	if (!orders_open(ends)) {
		log_line(SEVERITY_ERROR, "orders to a worker: %s", strerror(errno));
		return false;
	}
	child = fork();
	if (child == 0) {
		(void)close(ends[0]); /* the master's end */
		be_worker(master, ends[1]);
	}
	(void)close(ends[1]); /* the worker's end */
	if (child < 0) {
		log_line(SEVERITY_ERROR, "start a worker: %s", strerror(errno));
		(void)close(ends[0]); /* nobody listens */
		return false;
	}
	master->worker = child;
	master->orders_fd = ends[0];
	master->is_reloading = false;
	master->is_replacing = false;
	master->is_serving = false;
	health_restart(&master->health, clock_milliseconds());
	return true;
}

static void forget_worker(struct master *master)
{
	if (master->orders_fd >= 0)
		(void)close(master->orders_fd); /* its worker is gone */
	master->orders_fd = -1;
	master->worker = 0;
	if (master->is_reloading)
		notify_ready();
	master->is_reloading = false;
}

/* When the next worker may start: at once, unless the last one died young. */
static void plan_next_start(struct master *master)
{
	long long now = clock_milliseconds();

	if (now - master->started_ms >= QUICK_DEATH_MS)
		master->pause_ms = 0;
	master->next_start_ms = now + master->pause_ms;
	master->pause_ms = master->pause_ms == 0 ? FIRST_PAUSE_MS : 2 * master->pause_ms;
	if (master->pause_ms > LONGEST_PAUSE_MS)
		master->pause_ms = LONGEST_PAUSE_MS;
}

/* True: its end is ours too, with *out_status. */
static bool reap_worker(struct master *master, int *out_status)
{
	int status;
	pid_t worker = master->worker;

	if (worker == 0 || waitpid(worker, &status, WNOHANG) != worker)
		return false;
	forget_worker(master);
	if (master->is_stopping) {
		*out_status = EX_OK;
		return true;
	}
	if (master->is_replacing)
		log_line(SEVERITY_INFO, "worker %ld made room", (long)worker);
	else if (WIFSIGNALED(status))
		log_line(SEVERITY_ERROR, "worker %ld was killed by signal %d", (long)worker,
			 WTERMSIG(status));
	else
		log_line(SEVERITY_ERROR, "worker %ld ended with status %d", (long)worker,
			 WEXITSTATUS(status));
	/* What is wrong at the start is wrong for the next one too. */
	if (!master->was_ready) {
		*out_status = WIFEXITED(status) && WEXITSTATUS(status) != EX_OK
				      ? WEXITSTATUS(status)
				      : EX_SOFTWARE;
		return true;
	}
	plan_next_start(master);
	return false;
}

/* A worker that is started later should begin with what this one has taken over. */
static void adopt_settings(struct master *master)
{
	struct error err;
	struct settings *settings = settings_load(master->settings->file, NULL, NULL, &err);

	if (settings == NULL) {
		log_line(SEVERITY_WARNING, "%s", err.text);
		return;
	}
	settings_free(master->settings);
	master->settings = settings;
}

static void hear_worker(struct master *master)
{
	switch (orders_read(master->orders_fd)) {
	case REPORT_READY:
		log_line(SEVERITY_INFO, "worker %ld serves", (long)master->worker);
		master->was_ready = true;
		master->is_serving = true;
		notify_ready();
		return;
	case REPORT_RELOADED:
		adopt_settings(master);
		master->is_reloading = false;
		notify_ready();
		return;
	case REPORT_KEPT:
		master->is_reloading = false;
		notify_ready();
		return;
	case ORDERS_ENDED:
		/* It can't be told anything any more; its death follows. */
		(void)close(master->orders_fd);
		master->orders_fd = -1;
		return;
	default:
		return;
	}
}

/* ---- the worker's health --------------------------------------------------------------- */

/* Somebody removed the socket file. A worker keeps the socket it began with. */
static void renew_socket(struct master *master)
{
	const struct endpoint_address address = master->listener.address;
	struct error err;

	log_line(SEVERITY_ERROR, "%s: the socket is gone: opening it anew",
		 address.socket.local.sun_path);
	listener_close(&master->listener);
	if (!listener_open(&master->listener, &address, &err)) {
		/* Tried again with the next look. */
		log_line(SEVERITY_ERROR, "%s", err.text);
		return;
	}
	master->is_replacing = true;
	/* A worker that can't be told is ending anyway. */
	(void)orders_write(master->orders_fd, ORDER_STOP);
}

static void look_after_worker(struct master *master, bool is_readable)
{
	if (master->worker == 0 || !master->is_serving || master->is_stopping)
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
			 (long)master->worker);
		(void)kill(master->worker, SIGKILL); /* it may have ended by itself */
		return;
	case HEALTH_NO_SOCKET:
		renew_socket(master);
		return;
	}
}

/* ---- what there is to do -------------------------------------------------------------- */

static void begin_stop(struct master *master)
{
	notify_stopping();
	if (!master->is_stopping)
		log_line(SEVERITY_INFO, "stopping");
	/* Asked twice, it doesn't wait any more. */
	master->kill_ms = clock_milliseconds() + (master->is_stopping ? 0 : STOP_MS);
	master->is_stopping = true;
	/* A worker that can't be told has only to be waited for. */
	if (master->orders_fd >= 0)
		(void)orders_write(master->orders_fd, ORDER_STOP);
}

/* Do what is due, and say in how many milliseconds something may be due again. */
static int work(struct master *master)
{
	long long now = clock_milliseconds();
	long long due = master->health.due_ms;

	if (wants_stop) {
		wants_stop = 0;
		begin_stop(master);
	}
	if (master->is_stopping) {
		if (master->worker != 0 && now >= master->kill_ms)
			(void)kill(master->worker, SIGKILL); /* it may have ended by itself */
		due = master->kill_ms;
	} else if (master->worker == 0) {
		if (now >= master->next_start_ms && !start_worker(master))
			plan_next_start(master);
		due = master->next_start_ms;
	} else if (wants_reload && !master->is_reloading && master->was_ready) {
		due = master->next_reload_ms < due ? master->next_reload_ms : due;
		if (now >= master->next_reload_ms &&
		    orders_write(master->orders_fd, ORDER_RELOAD)) {
			wants_reload = 0;
			master->is_reloading = true;
			master->next_reload_ms = now + RELOAD_PAUSE_MS;
			notify_reloading();
		}
	}
	now = clock_milliseconds();
	return due <= now ? RELOAD_PAUSE_MS : (int)(due - now);
}

static int loop(struct master *master, const sigset_t *while_waiting)
{
	int status = EX_OK;

	health_init(&master->health, clock_milliseconds());
	for (;;) {
		/* A descriptor of -1 is skipped. */
		struct pollfd ready[2] = { { .events = POLLIN }, { .events = POLLIN } };
		struct timespec wait;
		int wait_ms;

		if (reap_worker(master, &status))
			return status;
		wait_ms = work(master);
		if (master->is_stopping && master->worker == 0)
			return EX_OK;
		wait = (struct timespec){ .tv_sec = wait_ms / 1000,
					  .tv_nsec = (long)(wait_ms % 1000) * 1000000 };
		ready[0].fd = master->orders_fd;
		ready[1].fd = master->health.fd;
		if (ppoll(ready, 2, &wait, while_waiting) > 0 && ready[0].revents != 0)
			hear_worker(master);
		look_after_worker(master, ready[1].revents != 0);
	}
}

/* ---- the start ------------------------------------------------------------------------ */

/* All that wants root, and then root no more. */
static bool set_up(struct master *master, struct error *err)
{
	const struct settings *settings = master->settings;
	size_t wanted = (size_t)settings->max_sessions;
	struct endpoint_address address;
	struct identity identity;
	size_t descriptors;
	bool is_path;

	if (!privileges_choose(settings->user, &identity, err) ||
	    !listen_parse(settings->socket, settings->allow_remote_mta, &address, err) ||
	    !privileges_make_directory(settings->runtime_directory, &identity, err))
		return false;
	descriptors = privileges_raise_descriptors(wanted + DESCRIPTORS_BESIDE);
	master->max_sessions = wanted;
	if (descriptors < wanted + DESCRIPTORS_BESIDE) {
		master->max_sessions = descriptors > 2 * DESCRIPTORS_BESIDE
					       ? descriptors - DESCRIPTORS_BESIDE
					       : DESCRIPTORS_BESIDE;
		log_line(SEVERITY_WARNING,
			 "max_sessions: only %zu, since only %zu files may be open",
			 master->max_sessions, descriptors);
	}
	/* A port may be one of root's; a file is to be the final user's. */
	is_path = address.socket.any.sa_family == AF_UNIX;
	if (!is_path && !listener_open(&master->listener, &address, err))
		return false;
	if (!privileges_drop(&identity, err) ||
	    !listener_lock(&master->listener, settings->runtime_directory, settings->socket, err))
		return false;
	if (is_path && !listener_open(&master->listener, &address, err))
		return false;
	log_line(SEVERITY_INFO, "openrcptd " OPENRCPT_VERSION " listens on %s", settings->socket);
	return true;
}

int master_run(struct settings *take_settings)
{
	struct master master = {
		.settings = take_settings,
		.listener = LISTENER_NONE,
		.orders_fd = -1,
		.health.fd = -1,
	};
	struct error err;
	sigset_t while_waiting;
	int status;

	handle_signals(&while_waiting);
	(void)umask(077);
	if (chdir("/") != 0)
		log_line(SEVERITY_WARNING, "/: %s", strerror(errno));
	if (!set_up(&master, &err)) {
		log_line(SEVERITY_FATAL, "%s", err.text);
		status = err.status;
	} else {
		status = loop(&master, &while_waiting);
	}
	forget_worker(&master);
	health_close(&master.health);
	listener_close(&master.listener);
	settings_free(master.settings);
	return status;
}
